#include "query/copy_writer.h"

#include <algorithm>

namespace idem {

namespace {

void append16(std::string& out, int v) {
  out.push_back(static_cast<char>(v >> 8));
  out.push_back(static_cast<char>(v));
}

void put32(std::string& out, size_t at, uint32_t v) {
  for (int i = 0; i < 4; i++) out[at + static_cast<size_t>(i)] = static_cast<char>(v >> (24 - 8 * i));
}

}  // namespace

CopyWriter::CopyWriter(const CopyFormat& format, std::vector<PlanColumn> columns, const TextOptions& text)
    : format_(format), columns_(std::move(columns)), text_(text) {
  for (const PlanColumn& c : columns_) {
    types_.push_back(c.type.id == TypeId::kSymbol ? SqlType(TypeId::kVarchar) : c.type);
    bool named = std::find(format_.force_quote.begin(), format_.force_quote.end(), c.name) !=
                 format_.force_quote.end();
    force_quote_.push_back(format_.force_quote_all || named);
  }
}

void CopyWriter::begin(std::string& out) {
  if (format_.kind == CopyFormat::Kind::kBinary) {
    out.append("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
    return;
  }
  if (format_.header == CopyFormat::Header::kNone) return;
  for (size_t i = 0; i < columns_.size(); i++) {
    if (i > 0) out.push_back(format_.delimiter);
    if (format_.kind == CopyFormat::Kind::kCsv) write_csv(out, columns_[i].name, false);
    else write_text(out, columns_[i].name);
  }
  out.push_back('\n');
}

void CopyWriter::end(std::string& out) {
  if (format_.kind == CopyFormat::Kind::kBinary) append16(out, -1);
}

void CopyWriter::write_text(std::string& out, std::string_view text) const {
  for (char c : text) {
    switch (c) {
      case '\b': out.append("\\b"); break;
      case '\f': out.append("\\f"); break;
      case '\n': out.append("\\n"); break;
      case '\r': out.append("\\r"); break;
      case '\t': out.append("\\t"); break;
      case '\v': out.append("\\v"); break;
      case '\\': out.append("\\\\"); break;
      default:
        if (c == format_.delimiter) out.push_back('\\');
        out.push_back(c);
    }
  }
}

void CopyWriter::write_csv(std::string& out, std::string_view text, bool force_quote) const {
  bool quote = force_quote || text == format_.null || text == "\\." ||
               (!text.empty() && (text.front() == ' ' || text.back() == ' '));
  for (size_t i = 0; i < text.size() && !quote; i++) {
    char c = text[i];
    quote = c == format_.delimiter || c == format_.quote || c == '\n' || c == '\r';
  }
  if (!quote) {
    out.append(text);
    return;
  }
  out.push_back(format_.quote);
  for (char c : text) {
    if (c == format_.quote || c == format_.escape) out.push_back(format_.escape);
    out.push_back(c);
  }
  out.push_back(format_.quote);
}

void CopyWriter::write(const DataChunk& chunk, std::string& out, std::vector<uint32_t>* row_ends) {
  std::vector<Vector> flat;
  for (const Vector& v : chunk.columns) flat.push_back(flatten(v, chunk.size, chunk.selection, true));
  for (uint32_t i = 0; i < chunk.count(); i++) {
    uint32_t row = chunk.selection[i];
    if (format_.kind == CopyFormat::Kind::kBinary) append16(out, static_cast<int>(flat.size()));
    for (size_t c = 0; c < flat.size(); c++) {
      const char* element =
          static_cast<const char*>(flat[c].data) + size_t{row} * physical_size(physical_type(types_[c]));
      bool valid = flat[c].is_valid(row);
      if (format_.kind == CopyFormat::Kind::kBinary) {
        size_t at = out.size();
        out.append(4, '\xff');
        if (!valid) continue;
        append_binary(out, types_[c], element);
        put32(out, at, static_cast<uint32_t>(out.size() - at - 4));
        continue;
      }
      if (c > 0) out.push_back(format_.delimiter);
      if (!valid) {
        out.append(format_.null);
        continue;
      }
      scratch_.clear();
      append_text(scratch_, types_[c], element, text_);
      if (format_.kind == CopyFormat::Kind::kCsv) write_csv(out, scratch_, force_quote_[c]);
      else write_text(out, scratch_);
    }
    if (format_.kind != CopyFormat::Kind::kBinary) out.push_back('\n');
    row_ends->push_back(static_cast<uint32_t>(out.size()));
  }
}

}  // namespace idem
