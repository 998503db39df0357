#include "query/portal.h"

#include <cassert>

namespace idem {

bool Portal::next(DataChunk*, uint64_t) {
  assert(false);
  return false;
}
void Portal::run() { assert(false); }
void Portal::copy_data(std::string) { assert(false); }
void Portal::copy_done() { assert(false); }
void Portal::copy_fail(std::string_view) { assert(false); }
CopyOutcome Portal::copy_outcome() const {
  assert(false);
  return {};
}
bool Portal::copy_next(std::string*, std::vector<uint32_t>*) {
  assert(false);
  return false;
}

DataChunk narrow(const DataChunk& chunk, uint32_t first, uint32_t count) {
  DataChunk piece = chunk;
  if (!chunk.selection.is_all()) {
    piece.selection = {chunk.selection.rows + first, count};
    return piece;
  }
  if (first == 0 && count == chunk.size) return piece;
  piece.selection_storage = std::make_shared<std::array<uint16_t, kVectorSize>>();
  for (uint32_t i = 0; i < count; i++) (*piece.selection_storage)[i] = static_cast<uint16_t>(first + i);
  piece.selection = {piece.selection_storage->data(), count};
  return piece;
}

bool ChunkSplitter::next(DataChunk* chunk, uint64_t max_rows) {
  if (taken_ == current_.count()) {
    taken_ = 0;
    do {
      current_ = DataChunk();
      if (!produce_(&current_)) {
        current_.set_size(0);
        return false;
      }
    } while (current_.count() == 0);
  }
  uint32_t left = current_.count() - taken_;
  uint32_t count = max_rows == 0 ? left : static_cast<uint32_t>(std::min<uint64_t>(left, max_rows));
  *chunk = narrow(current_, taken_, count);
  taken_ += count;
  return true;
}

QueryPortal::QueryPortal(std::vector<PlanColumn> columns,
                         std::function<std::unique_ptr<ResultStream>()> start, std::string verb)
    : columns_(std::move(columns)),
      start_(std::move(start)),
      splitter_([this](DataChunk* chunk) {
        if (!stream_) stream_ = start_();
        return stream_->next(chunk);
      }),
      verb_(std::move(verb)) {}

QueryPortal::~QueryPortal() = default;

bool QueryPortal::next(DataChunk* chunk, uint64_t max_rows) {
  if (!splitter_.next(chunk, max_rows)) return false;
  rows_ += chunk->count();
  return true;
}

RowsPortal::RowsPortal(std::vector<PlanColumn> columns, std::function<Result()> make)
    : columns_(std::move(columns)), make_(std::move(make)), splitter_([this](DataChunk* chunk) {
        if (make_) {
          result_ = make_();
          make_ = nullptr;
        }
        if (result_.chunks.empty()) return false;
        *chunk = std::move(result_.chunks.front());
        result_.chunks.pop_front();
        return true;
      }) {}

bool RowsPortal::next(DataChunk* chunk, uint64_t max_rows) { return splitter_.next(chunk, max_rows); }

TextRows::TextRows(const std::vector<std::string>& names, SqlType type) {
  for (const std::string& name : names) columns_.push_back({name, type});
}

void TextRows::add(const std::vector<std::string>& row) {
  DataChunk chunk;
  for (const std::string& text : row) {
    const SqlType type = columns_[chunk.columns.size()].type;
    Vector& v = chunk.columns.emplace_back();
    auto* out = v.allocate_as<std::string_view>(type, 1);
    out[0] = v.store_string(text);
  }
  chunk.set_size(1);
  chunks_.push_back(std::move(chunk));
}

RowsPortal::Result TextRows::finish(std::string tag) { return {std::move(chunks_), std::move(tag)}; }

}  // namespace idem
