#include "query/copy_format.h"

#include <algorithm>

#include "common/ascii.h"
#include "common/error.h"
#include "common/value_text.h"

namespace idem {

namespace {

SqlError bad_option(const ast::Option& option, std::string text) {
  SqlError error(sqlstate::kSyntaxError, std::move(text));
  error.with_position(option.position);
  return error;
}

char single_character(const ast::Option& option) {
  if (option.value.size() != 1)
    throw bad_option(option, fmt::format("COPY {} must be a single one-byte character", option.name));
  char c = option.value[0];
  if (c == '\n' || c == '\r')
    throw bad_option(option, fmt::format("COPY {} cannot be newline or carriage return", option.name));
  return c;
}

bool boolean(const ast::Option& option) {
  if (option.kind == ast::Option::ValueKind::kNone) return true;
  bool value = false;
  if (!parse_boolean(option.value, &value))
    throw bad_option(option, fmt::format("{} requires a Boolean value", option.name));
  return value;
}

}  // namespace

CopyFormat parse_copy_format(const ast::CopyStatement& s) {
  CopyFormat f;
  bool has_delimiter = false, has_null = false, has_escape = false;
  for (const ast::Option& o : s.options) {
    if (o.name == "format") {
      if (o.value == "csv") f.kind = CopyFormat::Kind::kCsv;
      else if (o.value == "binary") f.kind = CopyFormat::Kind::kBinary;
      else if (o.value != "text")
        throw sql_error(sqlstate::kInvalidParameterValue, "COPY format \"{}\" not recognized", o.value)
            .with_position(o.position);
    } else if (o.name == "header") {
      if (o.value == "match") f.header = CopyFormat::Header::kMatch;
      else if (boolean(o)) f.header = CopyFormat::Header::kSkip;
    } else if (o.name == "delimiter") {
      f.delimiter = single_character(o);
      has_delimiter = true;
    } else if (o.name == "null") {
      f.null = o.value;
      has_null = true;
    } else if (o.name == "quote") {
      f.quote = single_character(o);
      if (!has_escape) f.escape = f.quote;
    } else if (o.name == "escape") {
      f.escape = single_character(o);
      has_escape = true;
    } else if (o.name == "force_null" || o.name == "force_not_null") {
      auto& list = o.name == "force_null" ? f.force_null : f.force_not_null;
      if (o.kind == ast::Option::ValueKind::kStar)
        throw bad_option(o, fmt::format("{} * is not supported", o.name));
      list = o.list;
    } else if (o.name == "force_quote") {
      f.force_quote = o.list;
      f.force_quote_all = o.kind == ast::Option::ValueKind::kStar;
    } else if (o.name == "encoding") {
      std::string name = o.value;
      std::erase_if(name, [](char c) { return c == '-' || c == '_'; });
      for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      if (name != "utf8")
        throw sql_error(sqlstate::kFeatureNotSupported, "encoding \"{}\" is not supported", o.value)
            .with_position(o.position);
    } else if (o.name == "freeze") {
      boolean(o);  // rows are always stored as if frozen
    } else if (o.name == "on_error") {
      if (o.value == "ignore") f.on_error = CopyFormat::OnError::kIgnore;
      else if (o.value == "set_null") f.on_error = CopyFormat::OnError::kSetNull;
      else if (o.value != "stop") throw bad_option(o, "COPY ON_ERROR must be stop, ignore or set_null");
    } else if (o.name == "reject_limit") {
      f.reject_limit = std::stoull(
          o.value.empty() || o.value.find_first_not_of("0123456789") != o.value.npos || o.value.size() > 18
              ? "0"
              : o.value);
      if (*f.reject_limit == 0) throw bad_option(o, "COPY REJECT_LIMIT must be a number greater than zero");
    } else if (o.name == "on_new_column") {
      f.add_new_columns = o.value == "add";
      if (!f.add_new_columns && o.value != "error")
        throw bad_option(o, "COPY ON_NEW_COLUMN must be error or add");
    } else if (o.name == "overwrite") {
      const std::string kind = to_lower(o.value);
      if (kind != "" && kind != "all" && kind != "dynamic")
        throw bad_option(o, "COPY OVERWRITE must be all or dynamic");
      f.overwrite = kind == "dynamic" ? CopyFormat::Overwrite::kDynamic : CopyFormat::Overwrite::kAll;
    } else {
      throw bad_option(o, fmt::format("option \"{}\" not recognized", o.name));
    }
  }
  bool csv = f.kind == CopyFormat::Kind::kCsv;
  if (csv && !has_delimiter) f.delimiter = ',';
  if (csv && !has_null) f.null = "";
  if (f.kind == CopyFormat::Kind::kBinary &&
      (has_delimiter || has_null || f.header != CopyFormat::Header::kNone)) {
    throw SqlError(sqlstate::kSyntaxError, "cannot specify DELIMITER, NULL or HEADER in BINARY mode");
  }
  if (csv && f.delimiter == f.quote)
    throw SqlError(sqlstate::kInvalidParameterValue, "COPY delimiter and quote must be different");
  if (f.reject_limit && f.on_error != CopyFormat::OnError::kIgnore) {
    throw SqlError(sqlstate::kInvalidParameterValue,
                   "COPY REJECT_LIMIT requires ON_ERROR to be set to ignore");
  }
  return f;
}

}  // namespace idem
