#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "common/sql_type.h"
#include "common/string_arena.h"

namespace idem {

class TimeZone;

// The one place that knows how values of each type look as text and in PostgreSQL's binary format.
//
// `element` points at one value in the layout of physical_type(type). SYMBOL is treated as a string here
// (std::string_view): the caller resolves codes. NULL is the caller's business. OIDs and reg* types are shown
// as numbers.

struct TextOptions {
  const TimeZone* zone = nullptr;  // of TIMESTAMPTZ; null: UTC
  int extra_float_digits = 1;
  bool ignore_zone_suffix = false;  // of TIMESTAMP: see ZoneSuffix
  int64_t now_micros = 0;           // UTC; for 'now', 'today' …
  bool allow_integer_timestamps = false;
};

void append_text(std::string& out, SqlType type, const void* element, const TextOptions& options);
// The value without its length word.
void append_binary(std::string& out, SqlType type, const void* element);

// Reads PostgreSQL's input syntax, and applies modifiers: VARCHAR(n) is 22001 if longer, CHAR(n) is padded,
// DECIMAL(p,s) rounded. Characters of string-like results are copied into `arena`. Throws 22P02, 22003,
// 22007, 22008, 22001 …
void parse_text(SqlType type, std::string_view text, void* element, StringArena& arena,
                const TextOptions& options);
// Throws 22P03 `incorrect binary data format`, 08P01 for bytes of the wrong length.
void parse_binary(SqlType type, std::span<const char> bytes, void* element, StringArena& arena);

// 't', 'true', 'yes', 'on', '1' and their unique prefixes in any case, spaces around; false if it is neither.
bool parse_boolean(std::string_view text, bool* value);
bool boolean_from_text(std::string_view text);  // 22P02

// What a column of VARCHAR(n) or CHAR(n) keeps of `text`, a view into it (padding of CHAR(n) is not added):
// 22001 `value too long for type character varying(3)` unless only spaces are beyond n characters. An
// explicit cast cuts instead.
std::string_view enforce_length(SqlType type, std::string_view text, bool is_explicit_cast = false);

}  // namespace idem
