#include "tools/text_table.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>

#include "tools/json_object.h"

namespace idem::tools {

namespace {

// Terminal columns, near enough: one per character.
size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out += "\\n";
    else if (c == '\r') out += "\\r";
    else if (c == '\t') out += "\\t";
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else out += c;
  }
  return out;
}

void append_padded(std::string& out, const std::string& text, size_t width, bool right) {
  const std::string pad(width - width_of(text), ' ');
  out += right ? pad + text : text + pad;
}

std::string csv_field(const TextTable::Cell& cell) {
  if (!cell) return "";
  if (!cell->empty() && cell->find_first_of(",\"\n\r") == std::string::npos) return *cell;
  std::string out = "\"";
  for (const char c : *cell) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

}  // namespace

void TextTable::add_column(std::string name, Kind kind) { columns_.push_back({std::move(name), kind}); }

void TextTable::add_row(std::vector<Cell> cells) { rows_.push_back(std::move(cells)); }

std::string TextTable::aligned() const {
  std::vector<size_t> widths;
  for (const Column& column : columns_) widths.push_back(width_of(column.name));
  std::vector<std::vector<std::string>> shown;
  for (const auto& row : rows_) {
    auto& texts = shown.emplace_back();
    for (size_t i = 0; i < columns_.size(); ++i) {
      texts.push_back(printable(row[i].value_or("")));
      widths[i] = std::max(widths[i], width_of(texts.back()));
    }
  }
  std::string out;
  const auto end_line = [&out] {
    while (!out.empty() && out.back() == ' ') out.pop_back();
    out += '\n';
  };
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (i > 0) out += "  ";
    append_padded(out, columns_[i].name, widths[i], columns_[i].kind == Kind::kNumber);
  }
  end_line();
  for (size_t i = 0; i < columns_.size(); ++i) out += (i > 0 ? "  " : "") + std::string(widths[i], '-');
  out += '\n';
  for (const auto& texts : shown) {
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) out += "  ";
      append_padded(out, texts[i], widths[i], columns_[i].kind == Kind::kNumber);
    }
    end_line();
  }
  return out + fmt::format("({} row{})\n", rows_.size(), rows_.size() == 1 ? "" : "s");
}

std::string TextTable::csv() const {
  std::string out;
  for (size_t i = 0; i < columns_.size(); ++i) out += (i > 0 ? "," : "") + csv_field(columns_[i].name);
  out += '\n';
  for (const auto& row : rows_) {
    for (size_t i = 0; i < columns_.size(); ++i) out += (i > 0 ? "," : "") + csv_field(row[i]);
    out += '\n';
  }
  return out;
}

uint64_t TextTable::number(size_t row, size_t column) const {
  const Cell& text = rows_[row][column];
  return text ? std::strtoull(text->c_str(), nullptr, 10) : 0;
}

std::string TextTable::json_row(size_t row) const {
  JsonObject object;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const Cell& cell = rows_[row][i];
    if (!cell) object.add_json(columns_[i].name, "null");
    else if (columns_[i].kind == Kind::kBoolean)
      object.add_json(columns_[i].name, *cell == "t" ? "true" : "false");
    else if (columns_[i].kind != Kind::kText && is_valid_json(*cell))
      object.add_json(columns_[i].name, *cell);
    else object.add(columns_[i].name, *cell);  // a number may be NaN
  }
  return object.text();
}

std::string TextTable::json_array(std::string_view separator) const {
  std::string out = "[";
  for (size_t row = 0; row < rows_.size(); ++row) {
    if (row > 0) out += separator;
    out += json_row(row);
  }
  return out + "]";
}

std::string with_thousands(uint64_t number) {
  std::string digits = std::to_string(number);
  for (size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string readable_bytes(uint64_t bytes) {
  constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  for (value /= 1024; value >= 1024 && unit + 1 < std::size(kUnits); value /= 1024) ++unit;
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

}  // namespace idem::tools
