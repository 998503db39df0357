#include <algorithm>
#include <charconv>

#include "common/array_value.h"
#include "common/error.h"
#include "common/json_text.h"
#include "query/kernel.h"
#include "query/signature_types.h"
#include "query/value_functions.h"

namespace idem {

namespace {

using View = std::string_view;

bool is_container(View json) {
  const JsonKind kind = json_kind(json);
  return kind == JsonKind::kObject || kind == JsonKind::kArray;
}

// Writes the members of an object or the items of an array with what belongs between them.
class ContainerWriter {
 public:
  explicit ContainerWriter(JsonKind kind)
      : is_object_(kind == JsonKind::kObject), out_(is_object_ ? "{" : "[") {}
  void member(View key, View value) {
    separate();
    append_json_string(out_, key);
    out_ += ": ";
    out_ += value;
  }
  void item(View value) {
    separate();
    out_ += value;
  }
  std::string finish() { return std::move(out_) + (is_object_ ? '}' : ']'); }

 private:
  void separate() {
    if (out_.size() > 1) out_ += ", ";
  }
  bool is_object_;
  std::string out_;
};

// ---- jsonb - key, jsonb - index

std::string without_keys(View json, const std::vector<View>& keys) {
  if (!is_container(json)) throw SqlError(sqlstate::kInvalidParameterValue, "cannot delete from scalar");
  const JsonKind kind = json_kind(json);
  const auto is_dropped = [&](View key) { return std::find(keys.begin(), keys.end(), key) != keys.end(); };
  ContainerWriter out(kind);
  if (kind == JsonKind::kObject) {
    for (const JsonMember& member : json_members(json)) {
      if (!is_dropped(member.key)) out.member(member.key, member.value);
    }
  } else {
    for (const View item : json_elements(json)) {
      if (json_kind(item) != JsonKind::kString || !is_dropped(*json_as_text(item))) out.item(item);
    }
  }
  return out.finish();
}

std::string without_element(View json, int64_t index) {
  if (json_kind(json) != JsonKind::kArray) {
    throw SqlError(sqlstate::kInvalidParameterValue, json_kind(json) == JsonKind::kObject
                                                         ? "cannot delete from object using integer index"
                                                         : "cannot delete from scalar");
  }
  const std::vector<View> items = json_elements(json);
  if (index < 0) index += static_cast<int64_t>(items.size());
  ContainerWriter out(JsonKind::kArray);
  for (size_t i = 0; i < items.size(); ++i) {
    if (static_cast<int64_t>(i) != index) out.item(items[i]);
  }
  return out.finish();
}

// ---- jsonb_set, jsonb_insert, #-

// What happens at the place that a path names.
enum class Edit : uint8_t { kReplace, kReplaceOrCreate, kInsertBefore, kInsertAfter, kDelete };

bool creates(Edit edit) { return edit != Edit::kReplace && edit != Edit::kDelete; }
bool inserts(Edit edit) { return edit == Edit::kInsertBefore || edit == Edit::kInsertAfter; }

class PathEdit {
 public:
  PathEdit(const ArrayView& path, Edit edit, View value) : path_(path), edit_(edit), value_(value) {}

  // Calls itself for each step of the path.
  std::string apply(View json, uint32_t level) const {
    if (path_.is_null(level)) throw sql_error("22004", "path element at position {} is null", level + 1);
    switch (json_kind(json)) {
      case JsonKind::kObject: return in_object(json, level);
      case JsonKind::kArray: return in_array(json, level);
      default: return std::string(json);
    }
  }

 private:
  bool is_last(uint32_t level) const { return level + 1 == path_.size(); }

  std::string in_object(View json, uint32_t level) const {
    const View key = path_.string_at(level);
    ContainerWriter out(JsonKind::kObject);
    bool found = false;
    for (const JsonMember& member : json_members(json)) {
      if (member.key != key) {
        out.member(member.key, member.value);
        continue;
      }
      found = true;
      if (!is_last(level)) {
        out.member(key, apply(member.value, level + 1));
      } else if (inserts(edit_)) {
        throw SqlError(sqlstate::kInvalidParameterValue, "cannot replace existing key")
            .with_hint("Try using the function jsonb_set to replace key value.");
      } else if (edit_ != Edit::kDelete) {
        out.member(key, value_);
      }
    }
    if (found || !is_last(level) || !creates(edit_)) return out.finish();
    out.member(key, value_);
    return normalize_jsonb(out.finish());  // puts the new key in its place
  }

  // Where the step points in an array of `size`: -1 before its first item, `size` behind its last.
  int64_t index_of(uint32_t level, int64_t size) const {
    const View step = path_.string_at(level);
    int32_t index = 0;
    const char* first = step.data();
    const char* end = step.data() + step.size();
    while (first != end && (*first == ' ' || (*first >= '\t' && *first <= '\r'))) ++first;
    if (first != end && *first == '+') ++first;
    const auto result = std::from_chars(first, end, index);
    if (result.ec != std::errc() || result.ptr != end) {
      throw sql_error(sqlstate::kInvalidTextRepresentation,
                      "path element at position {} is not an integer: \"{}\"", level + 1, step);
    }
    return index < 0 ? std::max<int64_t>(index + size, -1) : std::min<int64_t>(index, size);
  }

  std::string in_array(View json, uint32_t level) const {
    const std::vector<View> items = json_elements(json);
    const auto size = static_cast<int64_t>(items.size());
    const int64_t index = index_of(level, size);
    const bool adds = is_last(level) && creates(edit_);
    ContainerWriter out(JsonKind::kArray);
    if (adds && index < 0) out.item(value_);
    for (int64_t i = 0; i < size; ++i) {
      const View item = items[static_cast<size_t>(i)];
      if (i != index) {
        out.item(item);
      } else if (!is_last(level)) {
        out.item(apply(item, level + 1));
      } else {
        if (edit_ != Edit::kDelete && edit_ != Edit::kInsertAfter) out.item(value_);
        if (inserts(edit_)) out.item(item);
        if (edit_ == Edit::kInsertAfter) out.item(value_);
      }
    }
    if (adds && index == size) out.item(value_);
    return out.finish();
  }

  const ArrayView& path_;
  Edit edit_;
  View value_;
};

std::string edited(View json, View path_bytes, Edit edit, View value) {
  if (!is_container(json)) {
    throw sql_error(sqlstate::kInvalidParameterValue, "cannot {} path in scalar",
                    edit == Edit::kDelete ? "delete" : "set");
  }
  const ArrayView path(path_bytes);
  if (path.size() == 0) return std::string(json);
  if (!creates(edit) && (json == "{}" || json == "[]")) return std::string(json);
  return PathEdit(path, edit, value).apply(json, 0);
}

bool flag_of(const KernelCall& call, bool otherwise) {
  return call.arguments.size() < 4 ? otherwise : call.at<uint8_t>(3) != 0;
}

}  // namespace

void register_json_edit_functions(FunctionRegistry& r) {
  r.add("-", {kJsonb, kText}, kJsonb, row_kernel<[](View j, View k) { return without_keys(j, {k}); }>);
  r.add("-", {kJsonb, kInt4}, kJsonb, row_kernel<[](View j, int32_t i) { return without_element(j, i); }>);
  r.add("-", {kJsonb, kTextArray}, kJsonb, row_kernel<[](View j, View k) {
          std::vector<View> keys;
          const ArrayView array(k);
          for (uint32_t i = 0; i < array.size(); ++i) {
            if (!array.is_null(i)) keys.push_back(array.string_at(i));
          }
          return without_keys(j, keys);
        }>);
  r.add("#-", {kJsonb, kTextArray}, kJsonb,
        row_kernel<[](View j, View path) { return edited(j, path, Edit::kDelete, {}); }>);
  const ScalarKernel set = row_kernel<[](KernelCall& c, View j, View path, View value) {
    return edited(j, path, flag_of(c, true) ? Edit::kReplaceOrCreate : Edit::kReplace, value);
  }>;
  const ScalarKernel insert = row_kernel<[](KernelCall& c, View j, View path, View value) {
    return edited(j, path, flag_of(c, false) ? Edit::kInsertAfter : Edit::kInsertBefore, value);
  }>;
  r.add("jsonb_set", {kJsonb, kTextArray, kJsonb}, kJsonb, set);
  r.add("jsonb_set", {kJsonb, kTextArray, kJsonb, kBool}, kJsonb, set);
  r.add("jsonb_insert", {kJsonb, kTextArray, kJsonb}, kJsonb, insert);
  r.add("jsonb_insert", {kJsonb, kTextArray, kJsonb, kBool}, kJsonb, insert);
}

}  // namespace idem
