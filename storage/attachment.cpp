#include "storage/attachment.h"

#include <algorithm>

namespace idem {

namespace {

// The codes of `to` for those that the files have.
std::vector<int32_t> map_codes(const SymbolDictionary& from, const Attachment::Column* before,
                               SymbolDictionary& to) {
  std::vector<int32_t> codes;
  if (before) {
    codes = before->codes;
  } else {
    codes.resize(from.size());
    for (size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<int32_t>(i);
  }
  for (int32_t& code : codes) code = to.intern(from.at(code));
  return codes;
}

}  // namespace

const Attachment::Column* Attachment::find(ColumnId column) const {
  for (const Column& c : columns) {
    if (c.column == column) return &c;
  }
  return nullptr;
}

std::shared_ptr<const Attachment> make_attachment(uint64_t id, const TableSchema& from,
                                                  const Attachment* before, const TableSchema& to) {
  auto result = std::make_shared<Attachment>();
  result->id = id;
  result->origin = before ? before->origin : from.id;
  for (const ColumnSchema& target : to.columns) {
    const int index = from.find_column(target.name);
    if (index < 0) continue;
    const ColumnSchema& source = from.columns[static_cast<size_t>(index)];
    const Attachment::Column* stored = before ? before->find(source.id) : nullptr;
    if (before && !stored) continue;
    Attachment::Column column;
    column.column = target.id;
    column.stored = stored ? stored->stored : source.id;
    if (target.type.id == TypeId::kSymbol)
      column.codes = map_codes(*source.dictionary, stored, *target.dictionary);
    for (const int32_t code : column.codes) column.highest_code = std::max(column.highest_code, code);
    result->columns.push_back(std::move(column));
  }
  return result;
}

void write_attachment(ByteWriter& out, const Attachment& attachment) {
  out.varint(attachment.id);
  out.u32(static_cast<uint32_t>(attachment.origin));
  out.varint(attachment.columns.size());
  for (const Attachment::Column& column : attachment.columns) {
    out.u32(static_cast<uint32_t>(column.column));
    out.u32(static_cast<uint32_t>(column.stored));
    out.varint(column.codes.size());
    for (const int32_t code : column.codes) out.varint(static_cast<uint64_t>(code));
  }
}

Attachment read_attachment(ByteReader& in) {
  Attachment attachment;
  attachment.id = in.varint();
  attachment.origin = static_cast<TableId>(in.u32());
  attachment.columns.resize(in.count(9));
  for (Attachment::Column& column : attachment.columns) {
    column.column = static_cast<ColumnId>(in.u32());
    column.stored = static_cast<ColumnId>(in.u32());
    column.codes.resize(in.count());
    for (int32_t& code : column.codes) {
      const uint64_t value = in.varint();
      if (value > INT32_MAX) in.fail();
      code = static_cast<int32_t>(value);
      column.highest_code = std::max(column.highest_code, code);
    }
  }
  return attachment;
}

}  // namespace idem
