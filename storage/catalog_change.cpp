#include "storage/catalog_change.h"

#include <algorithm>

#include "common/error.h"
#include "storage/catalog_encoding.h"
#include "storage/schema_encoding.h"

namespace idem {

namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

void check_schema_exists(const Catalog& catalog, const std::string& name, bool temporary) {
  if (temporary || catalog.schemas.contains(name)) return;
  throw sql_error(sqlstate::kInvalidSchemaName, "schema \"{}\" does not exist", name);
}

void check_name_is_free(const Catalog& catalog, const std::string& schema_name, const std::string& name) {
  if (catalog.tables.contains({schema_name, name}) || catalog.views.contains({schema_name, name})) {
    throw sql_error(sqlstate::kDuplicateTable, "relation \"{}\" already exists", name);
  }
}

void remove_table_name(Catalog* catalog, TableId table, const std::string& schema_name,
                       const std::string& name) {
  const auto found = catalog->tables.find({schema_name, name});
  if (found == catalog->tables.end() || found->second != table) {
    throw sql_error(sqlstate::kUndefinedTable, "relation \"{}\" does not exist", name);
  }
  catalog->tables.erase({schema_name, name});
}

void reserve_id(Catalog* catalog, uint32_t id) {
  catalog->next_object_id = std::max(catalog->next_object_id, id + 1);
}

void apply(Catalog* catalog, const CreateTableName& c) {
  check_schema_exists(*catalog, c.schema_name, c.temporary);
  check_name_is_free(*catalog, c.schema_name, c.name);
  catalog->tables.put({c.schema_name, c.name}, c.table);
  reserve_id(catalog, static_cast<uint32_t>(c.table));
}
void apply(Catalog* catalog, const DropTableName& c) {
  remove_table_name(catalog, c.table, c.schema_name, c.name);
  if (c.temporary) return;
  const auto id = static_cast<uint32_t>(c.table);
  catalog->protections.erase(id);
  catalog->slots.erase_if([&](const auto& slot) { return slot.second.table == c.table; });
  const auto view = catalog->materialized_views.find(id);
  if (!c.forgotten) {
    catalog->dropped.put(id, {c.table, c.schema_name, c.name, 0,
                              view == catalog->materialized_views.end() ? nullptr : view->second});
  }
  catalog->materialized_views.erase(id);
}
void apply(Catalog* catalog, const RenameTable& c) {
  remove_table_name(catalog, c.table, c.old_schema_name, c.old_name);
  check_schema_exists(*catalog, c.schema_name, c.temporary);
  check_name_is_free(*catalog, c.schema_name, c.name);
  catalog->tables.put({c.schema_name, c.name}, c.table);
}
void apply(Catalog* catalog, const CreateSchema& c) {
  if (catalog->schemas.contains(c.schema.name)) {
    throw sql_error(sqlstate::kDuplicateSchema, "schema \"{}\" already exists", c.schema.name);
  }
  catalog->schemas.put(c.schema.name, c.schema);
  reserve_id(catalog, c.schema.id);
}
void apply(Catalog* catalog, const DropSchema& c) {
  if (!catalog->schemas.contains(c.name)) {
    throw sql_error(sqlstate::kInvalidSchemaName, "schema \"{}\" does not exist", c.name);
  }
  const auto holds = [&](const auto& names) {
    const auto first = names.lower_bound({c.name, std::string()});
    return first != names.end() && first->first.first == c.name;
  };
  if (holds(catalog->tables) || holds(catalog->views)) {
    throw sql_error(sqlstate::kDependentObjectsStillExist,
                    "cannot drop schema {} because other objects depend on it", c.name);
  }
  catalog->schemas.erase(c.name);
}
void apply(Catalog* catalog, const PutView& c) {
  check_schema_exists(*catalog, c.view.schema_name, false);
  if (catalog->tables.contains({c.view.schema_name, c.view.name})) {
    throw sql_error(sqlstate::kDuplicateTable, "relation \"{}\" already exists", c.view.name);
  }
  catalog->views.put({c.view.schema_name, c.view.name}, std::make_shared<const ViewSchema>(c.view));
  reserve_id(catalog, c.view.id);
}
void apply(Catalog* catalog, const DropView& c) {
  if (!catalog->views.erase({c.schema_name, c.name})) {
    throw sql_error(sqlstate::kUndefinedTable, "view \"{}\" does not exist", c.name);
  }
}
void apply(Catalog* catalog, const PutRole& c) {
  catalog->roles.put(c.role.name, c.role);
  reserve_id(catalog, c.role.id);
}
void apply(Catalog* catalog, const DropRole& c) {
  if (!catalog->roles.erase(c.name)) {
    throw sql_error(sqlstate::kUndefinedObject, "role \"{}\" does not exist", c.name);
  }
  catalog->memberships.erase_if(
      [&](const auto& m) { return m.second.role == c.name || m.second.member == c.name; });
}
void apply(Catalog* catalog, const UndropTable& c) {
  check_schema_exists(*catalog, c.schema_name, false);
  check_name_is_free(*catalog, c.schema_name, c.name);
  const auto id = static_cast<uint32_t>(c.table);
  const auto dropped = catalog->dropped.find(id);
  if (dropped == catalog->dropped.end())
    throw sql_error(sqlstate::kUndefinedTable, "dropped table \"{}\" does not exist", c.name);
  if (const auto& view = dropped->second.view) {
    catalog->materialized_views.put(id,
                                    std::make_shared<const MaterializedView>(with_unknown_sources(*view)));
  }
  catalog->dropped.erase(id);
  catalog->tables.put({c.schema_name, c.name}, c.table);
}
void apply(Catalog* catalog, const PutTag& c) {
  const auto key = std::pair(static_cast<uint32_t>(c.tag.table), c.tag.name);
  if (catalog->tags.contains(key)) {
    throw sql_error(sqlstate::kDuplicateObject, "tag \"{}\" already exists", c.tag.name);
  }
  catalog->tags.put(key, c.tag);
}
void apply(Catalog* catalog, const DropTag& c) {
  if (!catalog->tags.erase({static_cast<uint32_t>(c.table), c.name})) {
    throw sql_error(sqlstate::kUndefinedObject, "tag \"{}\" does not exist", c.name);
  }
}
void apply(Catalog* catalog, const PutSlot& c) { catalog->slots.put(c.slot.name, c.slot); }
void apply(Catalog* catalog, const PutSchema& c) {
  if (!catalog->schemas.contains(c.schema.name)) {
    throw sql_error(sqlstate::kInvalidSchemaName, "schema \"{}\" does not exist", c.schema.name);
  }
  catalog->schemas.put(c.schema.name, c.schema);
}
void apply(Catalog* catalog, const PutRun& c) {
  catalog->runs.put(c.run.key, std::make_shared<const Run>(c.run));
}
void apply(Catalog* catalog, const ForgetRun& c) { catalog->runs.erase(c.key); }
void apply(Catalog* catalog, const PutProtection& c) {
  if (c.protection.empty()) {
    catalog->protections.erase(static_cast<uint32_t>(c.table));
  } else {
    catalog->protections.put(static_cast<uint32_t>(c.table), c.protection);
  }
}

// The key's list with the entry.
template <class Key>
AccessList with_entry(const PersistentMap<Key, AccessList>& lists, const Key& key, const AccessEntry& entry) {
  const auto known = lists.find(key);
  AccessList list = known == lists.end() ? AccessList() : known->second;
  const auto same = std::find_if(list.begin(), list.end(), [&](const AccessEntry& other) {
    return other.grantee == entry.grantee && other.grantor == entry.grantor;
  });
  if (same == list.end()) {
    if (entry.privileges != 0) list.push_back(entry);
  } else if (entry.privileges == 0) {
    list.erase(same);
  } else {
    *same = entry;
  }
  return list;
}
void apply(Catalog* catalog, const SetAccess& c) {
  catalog->access.put(c.object, with_entry(catalog->access, c.object, c.entry));
}
void apply(Catalog* catalog, const ForgetAccess& c) { catalog->access.erase(c.object); }
void apply(Catalog* catalog, const SetMembership& c) {
  for (const std::string* name : {&c.membership.role, &c.membership.member}) {
    if (c.member && !catalog->roles.contains(*name)) {
      throw sql_error(sqlstate::kUndefinedObject, "role \"{}\" does not exist", *name);
    }
  }
  const auto key = std::pair(c.membership.member, c.membership.role);
  if (c.member) {
    catalog->memberships.put(key, c.membership);
  } else {
    catalog->memberships.erase(key);
  }
}
void apply(Catalog* catalog, const SetDefaultAccess& c) {
  AccessList list = with_entry(catalog->default_access, c.key, c.entry);
  if (list.empty()) {
    catalog->default_access.erase(c.key);
  } else {
    catalog->default_access.put(c.key, std::move(list));
  }
}
void apply(Catalog* catalog, const PutMaterializedView& c) {
  const MaterializedView* known = catalog->materialized_view(c.view.table);
  if (!known && c.view.generation > 0) {
    throw sql_error(sqlstate::kUndefinedTable, "the materialized view does not exist any more");
  }
  if (known && known->generation + 1 != c.view.generation) {
    throw sql_error(sqlstate::kSerializationFailure,
                    "could not serialize access: the materialized view was refreshed or changed meanwhile");
  }
  catalog->materialized_views.put(static_cast<uint32_t>(c.view.table),
                                  std::make_shared<const MaterializedView>(c.view));
}
void apply(Catalog* catalog, const DropSlot& c) {
  if (!catalog->slots.erase(c.name)) {
    throw sql_error(sqlstate::kUndefinedObject, "change slot \"{}\" does not exist", c.name);
  }
}

}  // namespace

bool is_temporary(const CatalogChange& change) {
  return std::visit(
      [](const auto& c) {
        if constexpr (requires { c.temporary; }) {
          return c.temporary;
        } else {
          return false;
        }
      },
      change);
}

void apply_catalog_change(Catalog* catalog, const CatalogChange& change) {
  std::visit([&](const auto& c) { apply(catalog, c); }, change);
}

void set_commit_time(Catalog* catalog, const std::vector<CatalogChange>& changes, CommitNumber commit,
                     int64_t micros) {
  for (const CatalogChange& change : changes) {
    if (const auto* drop = std::get_if<DropTableName>(&change)) {
      const auto dropped = catalog->dropped.find(static_cast<uint32_t>(drop->table));
      if (dropped == catalog->dropped.end()) continue;
      DroppedTable committed = dropped->second;
      committed.time_micros = micros;
      catalog->dropped.put(dropped->first, std::move(committed));
    } else if (const auto* put = std::get_if<PutTag>(&change)) {
      const auto tag = catalog->tags.find({static_cast<uint32_t>(put->tag.table), put->tag.name});
      if (tag == catalog->tags.end()) continue;
      TableTag committed = tag->second;
      committed.created_micros = micros;
      catalog->tags.put(tag->first, std::move(committed));
    } else if (const auto* run = std::get_if<PutRun>(&change)) {
      const auto known = catalog->runs.find(run->run.key);
      if (known == catalog->runs.end()) continue;
      auto committed = std::make_shared<Run>(*known->second);
      if (committed->first_commit == CommitNumber{}) {
        committed->first_commit = commit;
        committed->first_time_micros = micros;
      }
      committed->last_commit = commit;
      committed->last_time_micros = micros;
      catalog->runs.put(run->run.key, std::move(committed));
    } else if (const auto* refresh = std::get_if<PutMaterializedView>(&change)) {
      const auto view = catalog->materialized_views.find(static_cast<uint32_t>(refresh->view.table));
      if (view == catalog->materialized_views.end() || !view->second->populated ||
          view->second->refreshed_micros != 0)
        continue;
      auto refreshed = std::make_shared<MaterializedView>(*view->second);
      refreshed->refreshed_micros = micros;
      catalog->materialized_views.put(view->first, std::move(refreshed));
    }
  }
}

Catalog initial_catalog(const std::string& superuser) {
  Catalog catalog;
  Role admin;
  admin.id = catalog.next_object_id++;
  admin.name = superuser;
  admin.superuser = true;
  catalog.roles.put(superuser, admin);
  for (const char* name : {"public", "default"}) {
    const uint32_t id = catalog.next_object_id++;
    catalog.schemas.put(name, SchemaInfo{id, name, superuser, false});
    catalog.access.put(id, {{superuser, superuser, kSchemaPrivileges, 0},
                            {"", superuser, static_cast<PrivilegeSet>(Privilege::kUsage), 0}});
  }
  return catalog;
}

void write_catalog_change(ByteWriter& out, const CatalogChange& change) {
  out.u8(static_cast<uint8_t>(change.index()));
  std::visit(Overloaded{
                 [&](const CreateTableName& c) {
                   out.u32(static_cast<uint32_t>(c.table));
                   out.string(c.schema_name);
                   out.string(c.name);
                 },
                 [&](const DropTableName& c) {
                   out.u32(static_cast<uint32_t>(c.table));
                   out.string(c.schema_name);
                   out.string(c.name);
                   out.boolean(c.forgotten);
                 },
                 [&](const RenameTable& c) {
                   out.u32(static_cast<uint32_t>(c.table));
                   out.string(c.old_schema_name);
                   out.string(c.old_name);
                   out.string(c.schema_name);
                   out.string(c.name);
                 },
                 [&](const CreateSchema& c) { write_schema_info(out, c.schema); },
                 [&](const DropSchema& c) { out.string(c.name); },
                 [&](const PutView& c) { write_view(out, c.view); },
                 [&](const DropView& c) {
                   out.string(c.schema_name);
                   out.string(c.name);
                 },
                 [&](const PutRole& c) { write_role(out, c.role); },
                 [&](const DropRole& c) { out.string(c.name); },
                 [&](const UndropTable& c) {
                   out.u32(static_cast<uint32_t>(c.table));
                   out.string(c.schema_name);
                   out.string(c.name);
                 },
                 [&](const PutTag& c) { write_tag(out, c.tag); },
                 [&](const DropTag& c) {
                   out.u32(static_cast<uint32_t>(c.table));
                   out.string(c.name);
                 },
                 [&](const PutSlot& c) { write_slot(out, c.slot); },
                 [&](const DropSlot& c) { out.string(c.name); },
                 [&](const PutRun& c) { write_run(out, c.run); },
                 [&](const ForgetRun& c) { out.string(c.key); },
                 [&](const PutProtection& c) {
                   out.u32(static_cast<uint32_t>(c.table));
                   write_protection(out, c.protection);
                 },
                 [&](const SetAccess& c) {
                   out.u32(c.object);
                   write_access_entry(out, c.entry);
                 },
                 [&](const ForgetAccess& c) { out.u32(c.object); },
                 [&](const SetMembership& c) {
                   write_membership(out, c.membership);
                   out.boolean(c.member);
                 },
                 [&](const SetDefaultAccess& c) {
                   write_default_access_key(out, c.key);
                   write_access_entry(out, c.entry);
                 },
                 [&](const PutSchema& c) { write_schema_info(out, c.schema); },
                 [&](const PutMaterializedView& c) { write_materialized_view(out, c.view); },
             },
             change);
}

CatalogChange read_catalog_change(ByteReader& in) {
  const auto text = [&] { return std::string(in.string()); };
  switch (in.u8()) {
    case 0: {
      CreateTableName c;
      c.table = static_cast<TableId>(in.u32());
      c.schema_name = text();
      c.name = text();
      return c;
    }
    case 1: {
      DropTableName c;
      c.table = static_cast<TableId>(in.u32());
      c.schema_name = text();
      c.name = text();
      c.forgotten = in.boolean();
      return c;
    }
    case 2: {
      RenameTable c;
      c.table = static_cast<TableId>(in.u32());
      c.old_schema_name = text();
      c.old_name = text();
      c.schema_name = text();
      c.name = text();
      return c;
    }
    case 3: return CreateSchema{read_schema_info(in)};
    case 4: return DropSchema{text()};
    case 5: return PutView{read_view(in)};
    case 6: {
      DropView c;
      c.schema_name = text();
      c.name = text();
      return c;
    }
    case 7: return PutRole{read_role(in)};
    case 8: return DropRole{text()};
    case 9: {
      UndropTable c;
      c.table = static_cast<TableId>(in.u32());
      c.schema_name = text();
      c.name = text();
      return c;
    }
    case 10: return PutTag{read_tag(in)};
    case 11: {
      DropTag c;
      c.table = static_cast<TableId>(in.u32());
      c.name = text();
      return c;
    }
    case 12: return PutSlot{read_slot(in)};
    case 13: return DropSlot{text()};
    case 14: return PutRun{read_run(in)};
    case 15: return ForgetRun{text()};
    case 16: {
      PutProtection c;
      c.table = static_cast<TableId>(in.u32());
      c.protection = read_protection(in);
      return c;
    }
    case 17: {
      SetAccess c;
      c.object = in.u32();
      c.entry = read_access_entry(in);
      return c;
    }
    case 18: return ForgetAccess{in.u32()};
    case 19: {
      SetMembership c;
      c.membership = read_membership(in);
      c.member = in.boolean();
      return c;
    }
    case 20: {
      SetDefaultAccess c;
      c.key = read_default_access_key(in);
      c.entry = read_access_entry(in);
      return c;
    }
    case 21: return PutSchema{read_schema_info(in)};
    case 22: return PutMaterializedView{read_materialized_view(in)};
    default: in.fail();
  }
}

}  // namespace idem
