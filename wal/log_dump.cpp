#include "wal/log_dump.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include "wal/segment_format.h"
#include "wal/segment_reader.h"

namespace idem::wal {

namespace {

std::string describe(const Record& record, uint64_t offset, const PayloadRenderer& render) {
  std::string line = fmt::format("  offset {} position {} commit {} epoch {} durable {} payload {}", offset,
                                 record.extent.begin.value, record.commit_number, record.epoch,
                                 record.durable.value, record.payload.size());
  if (record.compressed) line += fmt::format(" lz4 {}", record.stored_bytes);
  if (render) line += "  " + render(record);
  return line;
}

class SegmentDump {
 public:
  SegmentDump(FileSystem& fs, const std::string& path, uint64_t id)
      : file_(fs.open(path, OpenMode::kRead).value_or_throw()),
        id_(id),
        size_(file_->size().value_or_throw()) {
    std::string bytes(kSegmentHeaderBytes, '\0');
    bytes.resize(file_->read_at(0, bytes.data(), bytes.size()).value_or_throw());
    state_ = decode_segment_header(bytes, &header_);
  }

  bool is_begun() const { return state_ == SegmentHeaderState::kValid && header_.segment_id == id_; }
  Position start() const { return header_.start; }

  // `next` is the start of the segment after this one, if there is one.
  void run(std::optional<Position> next, const PayloadRenderer& render,
           const std::function<void(const std::string&)>& on_line) {
    const std::string path = file_->path();
    if (state_ == SegmentHeaderState::kDamaged) return on_line(fmt::format("{}: damaged header", path));
    if (!is_begun()) return on_line(fmt::format("{}: prepared, {} bytes", path, size_));
    on_line(fmt::format("{}: segment {} epoch {} start {}, {} bytes", path, header_.segment_id, header_.epoch,
                        header_.start.value, size_));
    SegmentReader reader(std::move(file_), header_, size_);
    Position at = header_.start;
    while (!next || at < *next) {
      if (const std::optional<Record> record = reader.read(at)) {
        on_line(describe(*record, reader.offset_of(at), render));
        at = record->extent.end;
        continue;
      }
      const SegmentReader::Tail tail = reader.scan_tail(at);
      if (!tail.next_valid || (next && *tail.next_valid >= *next)) {
        if (next)
          on_line(fmt::format("  offset {} position {}: damaged to the end", reader.offset_of(at), at.value));
        if (!next)
          on_line(fmt::format("  offset {} position {}: end of the log", reader.offset_of(at), at.value));
        break;
      }
      on_line(fmt::format("  offset {} position {}: {}, next valid record at position {}",
                          reader.offset_of(at), at.value, next || tail.proof ? "damaged" : "torn",
                          tail.next_valid->value));
      at = *tail.next_valid;
    }
  }

 private:
  std::unique_ptr<File> file_;
  uint64_t id_;
  uint64_t size_;
  SegmentHeaderState state_ = SegmentHeaderState::kZero;
  SegmentHeader header_;
};

}  // namespace

void dump_log(FileSystem& fs, const std::string& directory, const PayloadRenderer& render,
              const std::function<void(const std::string& line)>& on_line) {
  std::map<uint64_t, std::string> files;
  for (const DirectoryEntry& entry : fs.list(directory).value_or_throw()) {
    if (auto id = parse_segment_file_name(entry.name)) files[*id] = join_path(directory, entry.name);
  }
  std::vector<SegmentDump> segments;
  for (const auto& [id, path] : files) segments.emplace_back(fs, path, id);
  for (size_t i = 0; i < segments.size(); ++i) {
    const auto next = std::find_if(segments.begin() + static_cast<std::ptrdiff_t>(i) + 1, segments.end(),
                                   [](const SegmentDump& segment) { return segment.is_begun(); });
    segments[i].run(next == segments.end() ? std::nullopt : std::optional(next->start()), render, on_line);
  }
}

}  // namespace idem::wal
