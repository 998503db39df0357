#include "common/array_value.h"
#include "parser/keyword.h"
#include "query/function_registry.h"
#include "query/set_writer.h"
#include "query/signature_types.h"

namespace idem {

namespace {

using View = std::string_view;
using Columns = std::vector<std::pair<std::string, SqlType>>;
using Emit = std::function<void(DataChunk&)>;

// ---- pg_get_keywords

struct KeywordRow {
  View word;
  parser::KeywordClass kind;
  bool bare_label;
};

constexpr KeywordRow kKeywordRows[] = {
#define IDEM_KEYWORD_ROW(name, spelling, kind, bare) {spelling, parser::KeywordClass::kind, bare},
    IDEM_KEYWORDS(IDEM_KEYWORD_ROW)
#undef IDEM_KEYWORD_ROW
};

bool bind_keywords(std::span<const SqlType> arguments, std::vector<SqlType>*, Columns* columns) {
  *columns = {
      {"word", kText}, {"catcode", kChar}, {"barelabel", kBool}, {"catdesc", kText}, {"baredesc", kText}};
  return arguments.empty();
}

View class_code(parser::KeywordClass kind) {
  switch (kind) {
    case parser::KeywordClass::kUnreserved: return "U";
    case parser::KeywordClass::kColumnName: return "C";
    case parser::KeywordClass::kTypeFunction: return "T";
    case parser::KeywordClass::kReserved: return "R";
  }
  return "U";
}
View class_text(parser::KeywordClass kind) {
  switch (kind) {
    case parser::KeywordClass::kUnreserved: return "unreserved";
    case parser::KeywordClass::kColumnName: return "unreserved (cannot be function or type name)";
    case parser::KeywordClass::kTypeFunction: return "reserved (can be function or type name)";
    case parser::KeywordClass::kReserved: return "reserved";
  }
  return {};
}

void run_keywords(EvaluationState&, const std::vector<SqlType>&, const std::vector<Value>&,
                  const Emit& emit) {
  SetWriter out({kText, kChar, kBool, kText, kText}, emit);
  for (const KeywordRow& row : kKeywordRows) {
    out.set_text(0, row.word);
    out.set_text(1, class_code(row.kind));
    out.set(2, static_cast<uint8_t>(row.bare_label));
    out.set_text(3, class_text(row.kind));
    out.set_text(4, row.bare_label ? "can be bare label" : "requires AS");
    out.next_row();
  }
  out.finish();
}

// ---- options of a relation, "name=value" each

bool bind_options(std::span<const SqlType> arguments, std::vector<SqlType>* types, Columns* columns) {
  *types = {SqlType::array_of(TypeId::kText)};
  *columns = {{"option_name", kText}, {"option_value", kText}};
  return arguments.size() == 1;
}
void run_options(EvaluationState&, const std::vector<SqlType>&, const std::vector<Value>& arguments,
                 const Emit& emit) {
  if (arguments[0].is_null()) return;
  const ArrayView options(arguments[0].as_string());
  SetWriter out({kText, kText}, emit);
  for (uint32_t i = 0; i < options.size(); ++i) {
    if (options.is_null(i)) continue;
    const View option = options.string_at(i);
    const size_t equals = option.find('=');
    out.set_text(0, option.substr(0, equals));
    if (equals != View::npos) out.set_text(1, option.substr(equals + 1));
    out.next_row();
  }
  out.finish();
}

// ---- what there is nothing of here: partition trees, access lists, publications

bool bind_partitions(std::span<const SqlType> arguments, std::vector<SqlType>* types, Columns* columns) {
  *types = {TypeId::kRegclass};
  *columns = {{"relid", TypeId::kRegclass}};
  return arguments.size() == 1;
}
bool bind_access_list(std::span<const SqlType> arguments, std::vector<SqlType>* types, Columns* columns) {
  *types = {SqlType::array_of(TypeId::kText)};
  *columns = {{"grantor", kOid}, {"grantee", kOid}, {"privilege_type", kText}, {"is_grantable", kBool}};
  return arguments.size() == 1;
}
bool bind_publication(std::span<const SqlType> arguments, std::vector<SqlType>* types, Columns* columns) {
  *types = {kText};
  *columns = {{"relid", kOid}, {"attrs", TypeId::kInt2Vector}, {"qual", kText}};
  return arguments.size() == 1;
}
void run_nothing(EvaluationState&, const std::vector<SqlType>&, const std::vector<Value>&, const Emit&) {}

}  // namespace

void register_catalog_table_functions(FunctionRegistry& r) {
  r.add_table_function({"pg_get_keywords", {}, bind_keywords, run_keywords});
  r.add_table_function({"pg_options_to_table", {}, bind_options, run_options});
  r.add_table_function({"pg_partition_ancestors", {}, bind_partitions, run_nothing});
  r.add_table_function({"aclexplode", {}, bind_access_list, run_nothing});
  r.add_table_function({"pg_get_publication_tables", {}, bind_publication, run_nothing});
}

}  // namespace idem
