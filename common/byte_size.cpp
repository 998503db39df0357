#include "common/byte_size.h"

#include <charconv>
#include <fmt/format.h>
#include <limits>
#include <utility>

namespace idem {

namespace {

constexpr std::pair<std::string_view, uint64_t> kUnits[] = {
    {"GB", 1 << 30}, {"MB", 1 << 20}, {"kB", 1 << 10}, {"B", 1}};

}  // namespace

std::optional<uint64_t> parse_byte_size(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  if (unit.empty()) return number;
  for (const auto& [name, factor] : kUnits) {
    if (unit == name && number <= std::numeric_limits<uint64_t>::max() / factor) return number * factor;
  }
  return std::nullopt;
}

std::string byte_size_text(uint64_t bytes) {
  if (bytes == 0) return "0";
  for (const auto& [name, factor] : kUnits) {
    if (bytes % factor == 0) return fmt::format("{}{}", bytes / factor, name);
  }
  return {};
}

}  // namespace idem
