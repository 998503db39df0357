#include "query/kept_rows.h"

#include <algorithm>
#include <iterator>

#include "query/range_reader.h"

namespace idem {

namespace {

constexpr size_t kMorselBlocks = 16;

}  // namespace

KeptRows::KeptRows(std::vector<SqlType> types, const ExecutionContext& context)
    : types_(std::move(types)),
      budget_(context.memory),
      folder_(temporary_folder(context)),
      limit_(context),
      last_(RowStore::make(types_, budget_)) {}

void KeptRows::append(const DataChunk& chunk) {
  last_->append(chunk);
  rows_ += chunk.count();
  if (limit_.reached(last_->memory_bytes(), last_->next_growth())) put_out();
}

void KeptRows::put_out() {
  last_->seal();
  if (pieces_.empty() || !pieces_.back().file)
    pieces_.push_back({nullptr, std::make_shared<SpillFile>(*folder_, types_), {}});
  Piece& piece = pieces_.back();
  SpillFile::Scratch scratch;
  DataChunk chunk;
  for (size_t segment = 0; segment < last_->segment_count(); ++segment) {
    const uint32_t rows = last_->segment_rows(segment);
    for (uint32_t first = 0; first < rows; first += kVectorSize) {
      last_->read(segment, first, std::min(kVectorSize, rows - first), &chunk);
      piece.blocks.push_back(piece.file->write(chunk.columns, chunk.selection, scratch));
    }
  }
  chunk = DataChunk();  // lets go of the rows
  last_ = RowStore::make(types_, budget_);
}

void KeptRows::take(KeptRows&& later) {
  if (later.pieces_.empty()) {
    last_->take(std::move(*later.last_));
  } else {
    if (last_->rows() > 0) pieces_.push_back({std::move(last_), nullptr, {}});
    std::move(later.pieces_.begin(), later.pieces_.end(), std::back_inserter(pieces_));
    last_ = std::move(later.last_);
  }
  rows_ += later.rows_;
}

void KeptRows::finish() {
  if (last_->rows() > 0) pieces_.push_back({std::move(last_), nullptr, {}});
  last_.reset();
  for (size_t i = 0; i < pieces_.size(); ++i) {
    Piece& piece = pieces_[i];
    if (piece.rows) {
      piece.rows->seal();
      for (size_t segment = 0; segment < piece.rows->segment_count(); ++segment)
        morsels_.push_back({i, segment, segment + 1});
    }
    for (size_t first = 0; first < piece.blocks.size(); first += kMorselBlocks)
      morsels_.push_back({i, first, std::min(first + kMorselBlocks, piece.blocks.size())});
  }
}

uint64_t KeptRows::memory_bytes() const {
  uint64_t bytes = 0;
  for (const Piece& piece : pieces_) bytes += piece.rows ? piece.rows->memory_bytes() : 0;
  return bytes;
}

uint64_t KeptRows::spilled_bytes() const {
  uint64_t bytes = 0;
  for (const Piece& piece : pieces_) bytes += piece.file ? piece.file->bytes() : 0;
  return bytes;
}

class KeptRows::Stream final : public MorselStream {
 public:
  explicit Stream(const KeptRows& rows) : rows_(rows) {}

  void begin(size_t number) override {
    const Morsel& morsel = rows_.morsels_[number];
    piece_ = &rows_.pieces_[morsel.piece];
    at_ = piece_->rows ? 0 : morsel.first;
    end_ = piece_->rows ? piece_->rows->segment_rows(morsel.first) : morsel.end;
    segment_ = morsel.first;
  }

  bool next(DataChunk* chunk) override {
    if (at_ >= end_) return false;
    if (!piece_->rows) {
      piece_->file->read(piece_->blocks[at_++], scratch_, chunk);
      return true;
    }
    const auto count = static_cast<uint32_t>(std::min<size_t>(kVectorSize, end_ - at_));
    piece_->rows->read(segment_, static_cast<uint32_t>(at_), count, chunk);
    at_ += count;
    return true;
  }

 private:
  const KeptRows& rows_;
  const Piece* piece_ = nullptr;
  size_t segment_ = 0;
  size_t at_ = 0, end_ = 0;  // rows of the segment, or blocks
  SpillFile::Scratch scratch_;
};

std::unique_ptr<MorselStream> KeptRows::open() const { return std::make_unique<Stream>(*this); }

std::shared_ptr<const KeptRows> keep_rows(Operator& input, EvaluationState& state,
                                          const std::vector<SqlType>& types) {
  const MorselRanges ranges = one_range_per_worker(input, *state.context);
  std::vector<KeptRows> parts;
  for (size_t i = 1; i < ranges.count; ++i) parts.emplace_back(types, *state.context);
  const auto first = std::make_shared<KeptRows>(types, *state.context);
  read_ranges(input, state, ranges, [&](size_t range, RangeReader& reader) {
    KeptRows& rows = range == 0 ? *first : parts[range - 1];
    DataChunk chunk;
    while (reader.next(&chunk)) rows.append(chunk);
  });
  for (KeptRows& part : parts) first->take(std::move(part));
  first->finish();
  return first;
}

// Reads the rows that the operator has when a morsel begins.
class KeptRowsOperator::Stream final : public MorselStream {
 public:
  explicit Stream(const KeptRowsOperator& source) : operator_(source) {}
  void begin(size_t morsel) override {
    if (rows_ != operator_.rows_) {
      stream_.reset();
      rows_ = operator_.rows_;
      stream_ = rows_->open();
    }
    stream_->begin(morsel);
  }
  bool next(DataChunk* chunk) override { return stream_->next(chunk); }

 private:
  const KeptRowsOperator& operator_;
  std::shared_ptr<const KeptRows> rows_;
  std::unique_ptr<MorselStream> stream_;
};

std::unique_ptr<MorselStream> KeptRowsOperator::open(EvaluationState&) {
  return std::make_unique<Stream>(*this);
}

void KeptRowsOperator::describe(OperatorDetails& details) const {
  if (!rows_) return;
  details.memory_bytes = rows_->memory_bytes();
  details.spilled_bytes = rows_->spilled_bytes();
}

}  // namespace idem
