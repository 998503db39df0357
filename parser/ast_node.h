#pragma once

#include <cassert>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// The parts that all nodes of the syntax tree share. The tree is what the text says and nothing more: no
// name is looked up, no type is known. Nodes own their children; a parsed tree is not changed afterwards
// and may be read by any thread. Positions are 1-based byte offsets into the parsed text, 0 where there is
// none (a default that was filled in).
namespace idem::ast {

// Expressions, FROM items and statements have a base class with `kind`, and derived structs with a `kKind`
// of their own:
//
//   switch (e.kind) { case ExpressionKind::kLiteral: return bind(as<Literal>(e)); …
template <class T, class Base>
const T& as(const Base& node) {
  assert(node.kind == T::kKind);
  return static_cast<const T&>(node);
}
template <class T, class Base>
T& as(Base& node) {
  assert(node.kind == T::kKind);
  return static_cast<T&>(node);
}
// Null when the node is null or of another kind.
template <class T, class Base>
const T* try_as(const Base* node) {
  return node != nullptr && node->kind == T::kKind ? static_cast<const T*>(node) : nullptr;
}

// A name as it was written: unquoted names are folded to lower case and compare case-insensitively
// (dialect.md §1), quoted ones are kept. An empty text means that there is none (an alias that was left
// out).
struct Identifier {
  std::string text;
  uint32_t position = 0;
  bool quoted = false;

  bool empty() const { return text.empty(); }
};

// A table, view, schema-bound object: [[database.]schema.]name. Missing parts are empty.
struct ObjectName {
  Identifier database, schema, name;

  uint32_t position() const {
    if (database.position != 0) return database.position;
    return schema.position != 0 ? schema.position : name.position;
  }
  // As written: one to three of them.
  std::vector<std::string> parts() const {
    std::vector<std::string> parts;
    for (const Identifier* part : {&database, &schema, &name}) {
      if (!part->empty()) parts.push_back(part->text);
    }
    return parts;
  }
};

// A type as it was written, words joined by one space and lower case: "int8", "double precision",
// "timestamp with time zone", "character varying". The internal type "char" in double quotes is kept with
// its quotes.
struct TypeName {
  std::string schema;  // "" or as written, e.g. "pg_catalog"
  std::string name;
  std::vector<int32_t> modifiers;  // varchar(10): {10}; decimal(10,2): {10, 2}
  std::string interval_fields;     // of INTERVAL: "day to second", lower case; else empty
  uint32_t array_dimensions = 0;   // int[][] is 2; LIST<int> and int ARRAY are 1
  uint32_t position = 0;

  bool is_array() const { return array_dimensions > 0; }
};

// name [= value] of WITH (…), SET (…), EXPLAIN (…), COPY (…) and the like.
struct Option {
  enum class ValueKind : uint8_t {
    kNone,    // the name alone
    kWord,    // on, true, csv: an unquoted word, lower case
    kString,  // 'text' or "text"
    kNumber,  // 10, -1.5
    kList,    // (a, b): FORCE_NULL's columns
    kStar,    // *
  };
  std::string name;  // lower case
  ValueKind kind = ValueKind::kNone;
  std::string value;
  std::vector<std::string> list;
  uint32_t position = 0;
};

}  // namespace idem::ast
