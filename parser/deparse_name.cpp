#include "parser/deparse.h"
#include "parser/deparser.h"
#include "parser/keyword.h"

namespace idem::parser {

using namespace ast;

namespace {

// Lower-case ASCII letters, digits and underscores, no digit first: reads the same with and without quotes.
bool is_plain_word(std::string_view name) {
  bool plain = !name.empty() && (name[0] == '_' || (name[0] >= 'a' && name[0] <= 'z'));
  for (char c : name) plain &= c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  return plain;
}

}  // namespace

std::string quote_identifier(std::string_view name) {
  if (is_plain_word(name) && find_keyword(name) == Keyword::kNotKeyword) return std::string(name);
  std::string quoted = "\"";
  for (char c : name) {
    quoted.push_back(c);
    if (c == '"') quoted.push_back('"');
  }
  quoted.push_back('"');
  return quoted;
}

std::string quote_literal(std::string_view text) {
  std::string quoted = "'";
  quoted.reserve(text.size() + 2);
  for (char c : text) {
    quoted.push_back(c);
    if (c == '\'') quoted.push_back('\'');
  }
  quoted.push_back('\'');
  return quoted;
}

void Deparser::name(const Identifier& identifier) {
  put(identifier.quoted ? quote_identifier(identifier.text) : identifier.text);
}

void Deparser::names(const std::vector<Identifier>& identifiers) {
  list(identifiers, [this](const Identifier& i) { name(i); });
}

void Deparser::names_in_parens(const std::vector<Identifier>& identifiers) {
  put("(");
  names(identifiers);
  put(")");
}

void Deparser::dotted(const std::vector<Identifier>& parts) {
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) put(".");
    name(parts[i]);
  }
}

void Deparser::object(const ObjectName& object_name) {
  for (const Identifier* part : {&object_name.database, &object_name.schema}) {
    if (part->empty()) continue;
    name(*part);
    put(".");
  }
  name(object_name.name);
}

void Deparser::objects(const std::vector<ObjectName>& object_names) {
  list(object_names, [this](const ObjectName& o) { object(o); });
}

void Deparser::word(std::string_view text) { put(quote_identifier(text)); }
void Deparser::literal(std::string_view text) { put(quote_literal(text)); }

void Deparser::literals(const std::vector<std::string>& texts) {
  list(texts, [this](const std::string& text) { literal(text); });
}

void Deparser::type(const TypeName& type_name) {
  if (!type_name.schema.empty()) {
    word(type_name.schema);
    put(".");
  }
  // "timestamp with time zone" takes its precision after the first word.
  std::string base = type_name.name, zone;
  const size_t with = type_name.schema.empty() ? base.find(" with") : std::string::npos;
  if (with != std::string::npos) {
    zone = base.substr(with);
    base.erase(with);
  }
  const bool several_words = base == "double precision" || base == "character varying" ||
                             base == "bit varying" || base == "\"char\"";
  if (several_words || (type_name.schema.empty() && is_plain_word(base))) {
    put(base);
  } else {
    word(base);
  }
  if (!type_name.interval_fields.empty()) {
    put(" ");
    put(type_name.interval_fields);
  }
  if (!type_name.modifiers.empty()) {
    put("(");
    list(type_name.modifiers, [this](int32_t m) { put(std::to_string(m)); });
    put(")");
  }
  put(zone);
  for (uint32_t i = 0; i < type_name.array_dimensions; ++i) put("[]");
}

void Deparser::options(const std::vector<Option>& option_list, std::string_view between) {
  put("(");
  list(option_list, [this, between](const Option& o) {
    size_t begin = 0;
    for (;;) {
      const size_t dot = o.name.find('.', begin);
      const std::string part = o.name.substr(begin, dot == std::string::npos ? dot : dot - begin);
      if (begin > 0) put(".");
      if (is_plain_word(part)) {  // keywords too: no name can be mistaken here
        put(part);
      } else {
        word(part);
      }
      if (dot == std::string::npos) break;
      begin = dot + 1;
    }
    using Kind = Option::ValueKind;
    if (o.kind != Kind::kNone) put(between);
    switch (o.kind) {
      case Kind::kNone: break;
      case Kind::kWord:
      case Kind::kNumber: put(o.value); break;
      case Kind::kString: literal(o.value); break;
      case Kind::kList:
        put("(");
        list(o.list, [this](const std::string& item) { word(item); });
        put(")");
        break;
      case Kind::kStar: put("*"); break;
    }
  });
  put(")");
}

}  // namespace idem::parser
