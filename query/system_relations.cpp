#include "query/system_relations.h"

#include "query/virtual_rows.h"

namespace idem {

namespace {

struct AllRelations {
  RelationSet catalog, information_schema, functions;
  AllRelations() {
    register_class_relations(catalog);
    register_type_relations(catalog);
    register_server_relations(catalog);
    register_empty_relations(catalog);
    register_information_schema(information_schema);
    register_introspection(functions);
    register_history(functions);
  }
};

const AllRelations& all_relations() {
  static const AllRelations relations;
  return relations;
}

}  // namespace

std::shared_ptr<const VirtualTable> find_system_relation(std::string_view schema, std::string_view name) {
  if (schema == "pg_catalog") return all_relations().catalog.find(name);
  if (schema == "information_schema") return all_relations().information_schema.find(name);
  return nullptr;
}

std::shared_ptr<const VirtualTable> find_system_function(std::string_view name) {
  return all_relations().functions.find(name);
}

}  // namespace idem
