#include "common/simulated_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <utility>

#include "common/simulated_disk.h"

namespace idem {

namespace {

using Node = SimulatedNode;
using NodePtr = SimulatedNodePtr;
using NameChange = SimulatedNameChange;

using Hit = SimulatedFileSystem::Hit;

struct Failure {
  uint64_t at_call;
  int code;
  Hit hit = Hit::kPartly;
};

// Takes one by its call number out of a list of what was asked for.
std::optional<Failure> take(std::vector<Failure>& failures, uint64_t call) {
  const auto it =
      std::find_if(failures.begin(), failures.end(), [&](const Failure& f) { return f.at_call == call; });
  if (it == failures.end()) return std::nullopt;
  const Failure found = *it;
  failures.erase(it);
  return found;
}

uint64_t bytes_below(const Node& node, std::set<const Node*>& counted) {
  if (!counted.insert(&node).second) return 0;
  uint64_t bytes = node.content.size();
  for (const auto& [name, child] : node.entries) bytes += bytes_below(*child, counted);
  return bytes;
}

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    if (!part.empty() && part != ".") parts.emplace_back(part);
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return parts;
}

}  // namespace

struct SimulatedFileSystem::State {
  // Whether and how a call fails.
  struct Verdict {
    int code = 0;
    Hit hit = Hit::kNothing;
    // The call is done although it fails.
    bool done() const { return code == 0 || hit == Hit::kWholly; }
  };

  mutable std::mutex mutex;
  NodePtr root;
  std::vector<NameChange> unsynced_names;  // in the order in which they happened
  std::set<std::string> locked;

  bool stopped = false;
  uint64_t stop_at = 0;  // number of the call, 0: never
  Hit stop_hit = Hit::kPartly;
  uint64_t fill_at = 0;  // number of the call, 0: never
  std::array<uint64_t, kFileOpCount> calls_of_op{};
  uint64_t calls = 0;
  uint64_t bytes_written = 0;
  std::array<std::vector<Failure>, kFileOpCount> failures_of_op;
  std::vector<Failure> failures;
  std::vector<Failure> corrupt_reads;  // `code` is the seed
  uint64_t capacity = UINT64_MAX;
  std::function<void(FileOp, const std::string&)> callback;

  State() : root(std::make_shared<Node>()) { root->is_directory = true; }

  // Every call begins here: tells the callback, takes the lock, counts, and finds whether the call shall
  // fail.
  Verdict enter(FileOp op, const std::string& path, std::unique_lock<std::mutex>& lock) {
    std::function<void(FileOp, const std::string&)> told;
    {
      std::lock_guard guard(mutex);
      told = callback;
    }
    if (told) told(op, path);
    lock = std::unique_lock(mutex);
    if (stopped) return {EIO, Hit::kNothing};
    const size_t index = static_cast<size_t>(op);
    ++calls;
    ++calls_of_op[index];
    if (stop_at != 0 && calls >= stop_at) {
      stopped = true;
      return {EIO, stop_hit};
    }
    if (fill_at != 0 && calls >= fill_at) {
      capacity = used_bytes();
      fill_at = 0;
    }
    if (auto failure = take(failures, calls)) return {failure->code, failure->hit};
    if (auto failure = take(failures_of_op[index], calls_of_op[index])) return {failure->code, failure->hit};
    return {};
  }

  NodePtr find(const std::vector<std::string>& parts, size_t count) const {
    NodePtr node = root;
    for (size_t i = 0; i < count; ++i) {
      auto it = node->entries.find(parts[i]);
      if (it == node->entries.end()) return nullptr;
      node = it->second;
    }
    return node;
  }
  NodePtr find(const std::string& path) const {
    const std::vector<std::string> parts = split_path(path);
    return find(parts, parts.size());
  }
  // The folder that holds or would hold `path`, or null; and the last part of the path.
  std::pair<NodePtr, std::string> find_parent(const std::string& path) const {
    const std::vector<std::string> parts = split_path(path);
    if (parts.empty()) return {nullptr, ""};
    NodePtr parent = find(parts, parts.size() - 1);
    if (parent && !parent->is_directory) parent = nullptr;
    return {parent, parts.back()};
  }

  void change_names(NameChange change) {
    change.apply_now();
    unsynced_names.push_back(std::move(change));
  }

  // Makes the pending operations on this folder durable, and with them those on folders that they also
  // concern.
  void sync_names(const NodePtr& directory) {
    std::set<const Node*> directories{directory.get()};
    for (size_t before = 0; before != directories.size();) {
      before = directories.size();
      for (const NameChange& change : unsynced_names) {
        if (!change.touches(directories)) continue;
        for (const NameChange::Entry& entry : change.entries) directories.insert(entry.directory.get());
      }
    }
    std::vector<NameChange> left;
    for (NameChange& change : unsynced_names) {
      if (!change.touches(directories)) {
        left.push_back(std::move(change));
        continue;
      }
      change.apply_to_synced();
    }
    unsynced_names = std::move(left);
  }

  bool fits(uint64_t more_bytes) const {
    if (capacity == UINT64_MAX || more_bytes == 0) return true;
    return more_bytes <= free_bytes();
  }
  uint64_t used_bytes() const {
    std::set<const Node*> counted;
    return bytes_below(*root, counted);
  }
  uint64_t free_bytes() const {
    const uint64_t used = used_bytes();
    return capacity > used ? capacity - used : 0;
  }
};

namespace {

using State = SimulatedFileSystem::State;

class SimulatedFile final : public File {
 public:
  SimulatedFile(std::string path, std::shared_ptr<State> state, NodePtr node, bool writable)
      : File(std::move(path)), state_(std::move(state)), node_(std::move(node)), writable_(writable) {}

  IoResult<size_t> read_at(uint64_t offset, void* out, size_t size) override {
    std::unique_lock<std::mutex> lock;
    if (const auto verdict = state_->enter(FileOp::kRead, path(), lock); verdict.code != 0) {
      return error(FileOp::kRead, verdict.code);
    }
    const std::string& content = node_->content;
    const size_t available = offset < content.size() ? content.size() - offset : 0;
    const size_t n = std::min(size, available);
    char* bytes = static_cast<char*>(out);
    if (n > 0) content.copy(bytes, n, offset);
    const uint64_t call = state_->calls_of_op[static_cast<size_t>(FileOp::kRead)];
    if (auto damage = take(state_->corrupt_reads, call); damage && n > 0) {
      const uint64_t bit = static_cast<uint64_t>(damage->code) % (n * 8);
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    }
    return n;
  }

  IoStatus write_at(uint64_t offset, const void* data, size_t size) override {
    std::unique_lock<std::mutex> lock;
    const auto verdict = state_->enter(FileOp::kWrite, path(), lock);
    if (verdict.code != 0) {
      if (verdict.hit != Hit::kNothing && writable_) write(offset, data, verdict.done() ? size : size / 2);
      return error(FileOp::kWrite, verdict.code);
    }
    if (!writable_) return error(FileOp::kWrite, EBADF);
    const uint64_t end = offset + size;
    if (end > node_->content.size() && !state_->fits(end - node_->content.size())) {
      return error(FileOp::kWrite, ENOSPC);
    }
    write(offset, data, size);
    return {};
  }

  IoStatus sync() override {
    std::unique_lock<std::mutex> lock;
    if (const auto verdict = state_->enter(FileOp::kSync, path(), lock); verdict.code != 0) {
      if (verdict.done()) {
        node_->sync();
      } else if (!state_->stopped) {
        node_->fail_sync();
      }
      return error(FileOp::kSync, verdict.code);
    }
    node_->sync();
    return {};
  }

  IoStatus sync_all() override { return sync(); }

  IoResult<uint64_t> size() override {
    std::unique_lock<std::mutex> lock;
    if (const auto verdict = state_->enter(FileOp::kSize, path(), lock); verdict.code != 0) {
      return error(FileOp::kSize, verdict.code);
    }
    return static_cast<uint64_t>(node_->content.size());
  }

  IoStatus truncate(uint64_t size) override {
    std::unique_lock<std::mutex> lock;
    if (const auto verdict = state_->enter(FileOp::kTruncate, path(), lock); verdict.code != 0) {
      return error(FileOp::kTruncate, verdict.code);
    }
    if (!writable_) return error(FileOp::kTruncate, EBADF);
    node_->resize(size);
    return {};
  }

  IoStatus preallocate(uint64_t size) override {
    std::unique_lock<std::mutex> lock;
    if (const auto verdict = state_->enter(FileOp::kPreallocate, path(), lock); verdict.code != 0) {
      return error(FileOp::kPreallocate, verdict.code);
    }
    if (!writable_) return error(FileOp::kPreallocate, EBADF);
    if (size <= node_->content.size()) return {};
    if (!state_->fits(size - node_->content.size())) return error(FileOp::kPreallocate, ENOSPC);
    node_->resize(size);
    return {};
  }

 private:
  IoError error(FileOp op, int code) const { return IoError{op, code, path(), {}}; }

  void write(uint64_t offset, const void* data, size_t size) {
    node_->write(offset, static_cast<const char*>(data), size);
    state_->bytes_written += size;
  }

  std::shared_ptr<State> state_;
  NodePtr node_;
  bool writable_;
};

class SimulatedFolderLock final : public FolderLock {
 public:
  SimulatedFolderLock(std::shared_ptr<State> state, std::string path)
      : state_(std::move(state)), path_(std::move(path)) {}
  ~SimulatedFolderLock() override {
    std::lock_guard lock(state_->mutex);
    state_->locked.erase(path_);
  }

 private:
  std::shared_ptr<State> state_;
  std::string path_;
};

}  // namespace

SimulatedFileSystem::SimulatedFileSystem() : state_(std::make_shared<State>()) {}
SimulatedFileSystem::SimulatedFileSystem(std::shared_ptr<State> state) : state_(std::move(state)) {}
SimulatedFileSystem::~SimulatedFileSystem() = default;

IoResult<std::unique_ptr<File>> SimulatedFileSystem::open(const std::string& path, OpenMode mode) {
  std::unique_lock<std::mutex> lock;
  const auto verdict = state_->enter(FileOp::kOpen, path, lock);
  if (!verdict.done()) return IoError{FileOp::kOpen, verdict.code, path, {}};
  NodePtr node = state_->find(path);
  const bool may_create = mode == OpenMode::kCreate || mode == OpenMode::kOpenOrCreate;
  if (node && mode == OpenMode::kCreate) return IoError{FileOp::kOpen, EEXIST, path, {}};
  if (node && node->is_directory) return IoError{FileOp::kOpen, EISDIR, path, {}};
  if (!node) {
    auto [parent, name] = state_->find_parent(path);
    if (!may_create || !parent) return IoError{FileOp::kOpen, ENOENT, path, {}};
    node = std::make_shared<Node>();
    state_->change_names({{{parent, name, node}}});
  }
  if (verdict.code != 0) return IoError{FileOp::kOpen, verdict.code, path, {}};
  return std::unique_ptr<File>(
      std::make_unique<SimulatedFile>(path, state_, std::move(node), mode != OpenMode::kRead));
}

IoStatus SimulatedFileSystem::rename(const std::string& from, const std::string& to) {
  std::unique_lock<std::mutex> lock;
  const auto verdict = state_->enter(FileOp::kRename, from, lock);
  if (!verdict.done()) return IoError{FileOp::kRename, verdict.code, from, {}};
  NodePtr node = state_->find(from);
  auto [from_parent, from_name] = state_->find_parent(from);
  auto [to_parent, to_name] = state_->find_parent(to);
  if (!node || !from_parent || !to_parent) return IoError{FileOp::kRename, ENOENT, from, {}};
  const NodePtr target = state_->find(to);
  if (target == node) return {};
  if (target && target->is_directory && !target->entries.empty()) {
    return IoError{FileOp::kRename, ENOTEMPTY, from, {}};
  }
  if (target && target->is_directory != node->is_directory) {
    return IoError{FileOp::kRename, node->is_directory ? ENOTDIR : EISDIR, from, {}};
  }
  state_->change_names({{{from_parent, from_name, nullptr}, {to_parent, to_name, node}}});
  if (verdict.code != 0) return IoError{FileOp::kRename, verdict.code, from, {}};
  return {};
}

IoStatus SimulatedFileSystem::remove(const std::string& path) {
  std::unique_lock<std::mutex> lock;
  const auto verdict = state_->enter(FileOp::kRemove, path, lock);
  if (!verdict.done()) return IoError{FileOp::kRemove, verdict.code, path, {}};
  const NodePtr node = state_->find(path);
  auto [parent, name] = state_->find_parent(path);
  if (!node || !parent) return IoError{FileOp::kRemove, ENOENT, path, {}};
  if (!node->entries.empty()) return IoError{FileOp::kRemove, ENOTEMPTY, path, {}};
  state_->change_names({{{parent, name, nullptr}}});
  if (verdict.code != 0) return IoError{FileOp::kRemove, verdict.code, path, {}};
  return {};
}

IoStatus SimulatedFileSystem::link(const std::string& existing, const std::string& link_path) {
  std::unique_lock<std::mutex> lock;
  const auto verdict = state_->enter(FileOp::kLink, existing, lock);
  if (!verdict.done()) return IoError{FileOp::kLink, verdict.code, existing, {}};
  const NodePtr node = state_->find(existing);
  auto [parent, name] = state_->find_parent(link_path);
  if (!node || !parent) return IoError{FileOp::kLink, ENOENT, existing, {}};
  if (node->is_directory) return IoError{FileOp::kLink, EPERM, existing, {}};
  if (state_->find(link_path)) return IoError{FileOp::kLink, EEXIST, existing, {}};
  state_->change_names({{{parent, name, node}}});
  if (verdict.code != 0) return IoError{FileOp::kLink, verdict.code, existing, {}};
  return {};
}

IoResult<std::vector<DirectoryEntry>> SimulatedFileSystem::list(const std::string& directory) {
  std::unique_lock<std::mutex> lock;
  if (const auto verdict = state_->enter(FileOp::kList, directory, lock); verdict.code != 0) {
    return IoError{FileOp::kList, verdict.code, directory, {}};
  }
  const NodePtr node = state_->find(directory);
  if (!node) return IoError{FileOp::kList, ENOENT, directory, {}};
  if (!node->is_directory) return IoError{FileOp::kList, ENOTDIR, directory, {}};
  std::vector<DirectoryEntry> entries;
  for (const auto& [name, child] : node->entries) entries.push_back({name, child->is_directory});
  return entries;
}

IoStatus SimulatedFileSystem::make_directory(const std::string& path) {
  std::unique_lock<std::mutex> lock;
  const auto verdict = state_->enter(FileOp::kMakeDirectory, path, lock);
  if (!verdict.done()) return IoError{FileOp::kMakeDirectory, verdict.code, path, {}};
  if (state_->find(path)) return IoError{FileOp::kMakeDirectory, EEXIST, path, {}};
  auto [parent, name] = state_->find_parent(path);
  if (!parent) return IoError{FileOp::kMakeDirectory, ENOENT, path, {}};
  auto node = std::make_shared<Node>();
  node->is_directory = true;
  state_->change_names({{{parent, name, std::move(node)}}});
  if (verdict.code != 0) return IoError{FileOp::kMakeDirectory, verdict.code, path, {}};
  return {};
}

IoStatus SimulatedFileSystem::sync_directory(const std::string& path) {
  std::unique_lock<std::mutex> lock;
  const auto verdict = state_->enter(FileOp::kSyncDirectory, path, lock);
  if (!verdict.done()) return IoError{FileOp::kSyncDirectory, verdict.code, path, {}};
  const NodePtr node = state_->find(path);
  if (!node || !node->is_directory) return IoError{FileOp::kSyncDirectory, node ? ENOTDIR : ENOENT, path, {}};
  state_->sync_names(node);
  if (verdict.code != 0) return IoError{FileOp::kSyncDirectory, verdict.code, path, {}};
  return {};
}

IoResult<bool> SimulatedFileSystem::exists(const std::string& path) {
  std::unique_lock<std::mutex> lock;
  if (const auto verdict = state_->enter(FileOp::kExists, path, lock); verdict.code != 0) {
    return IoError{FileOp::kExists, verdict.code, path, {}};
  }
  return state_->find(path) != nullptr;
}

IoResult<uint64_t> SimulatedFileSystem::file_size(const std::string& path) {
  std::unique_lock<std::mutex> lock;
  if (const auto verdict = state_->enter(FileOp::kSize, path, lock); verdict.code != 0) {
    return IoError{FileOp::kSize, verdict.code, path, {}};
  }
  const NodePtr node = state_->find(path);
  if (!node) return IoError{FileOp::kSize, ENOENT, path, {}};
  return static_cast<uint64_t>(node->content.size());
}

IoResult<uint64_t> SimulatedFileSystem::free_space(const std::string& path) {
  std::unique_lock<std::mutex> lock;
  if (const auto verdict = state_->enter(FileOp::kFreeSpace, path, lock); verdict.code != 0) {
    return IoError{FileOp::kFreeSpace, verdict.code, path, {}};
  }
  return state_->free_bytes();
}

IoResult<std::unique_ptr<FolderLock>> SimulatedFileSystem::lock(const std::string& directory) {
  std::unique_lock<std::mutex> lock;
  if (const auto verdict = state_->enter(FileOp::kLock, directory, lock); verdict.code != 0) {
    return IoError{FileOp::kLock, verdict.code, directory, {}};
  }
  const NodePtr node = state_->find(directory);
  if (!node || !node->is_directory) return IoError{FileOp::kLock, ENOENT, directory, {}};
  if (!state_->locked.insert(directory).second) {
    return IoError{FileOp::kLock, 0, directory, "it is in use by another server (process id 1)"};
  }
  if (!node->entries.contains("lock")) { state_->change_names({{{node, "lock", std::make_shared<Node>()}}}); }
  return std::unique_ptr<FolderLock>(std::make_unique<SimulatedFolderLock>(state_, directory));
}

std::unique_ptr<SimulatedFileSystem> SimulatedFileSystem::crash(uint64_t seed, Unsynced unsynced) {
  std::lock_guard lock(state_->mutex);
  state_->stopped = true;
  auto left = std::make_shared<State>();
  std::optional<uint32_t> percent;
  if (unsynced != Unsynced::kRandom) percent = unsynced == Unsynced::kLost ? 0 : 100;
  left->root = after_crash(*state_->root, state_->unsynced_names, seed, percent);
  left->capacity = state_->capacity;
  return std::unique_ptr<SimulatedFileSystem>(new SimulatedFileSystem(std::move(left)));
}

std::unique_ptr<SimulatedFileSystem> SimulatedFileSystem::copy() const {
  std::lock_guard lock(state_->mutex);
  auto copied = std::make_shared<State>();
  copied->root = copy_of(*state_->root);
  return std::unique_ptr<SimulatedFileSystem>(new SimulatedFileSystem(std::move(copied)));
}

std::unique_ptr<SimulatedFileSystem> SimulatedFileSystem::kill_process() {
  std::lock_guard lock(state_->mutex);
  state_->stopped = true;
  auto left = std::make_shared<State>();
  left->root = std::exchange(state_->root, std::make_shared<Node>());
  left->unsynced_names = std::move(state_->unsynced_names);
  left->capacity = state_->capacity;
  return std::unique_ptr<SimulatedFileSystem>(new SimulatedFileSystem(std::move(left)));
}

void SimulatedFileSystem::fail_nth(FileOp op, uint64_t n, int error) {
  std::lock_guard lock(state_->mutex);
  const size_t index = static_cast<size_t>(op);
  state_->failures_of_op[index].push_back({state_->calls_of_op[index] + n, error});
}

void SimulatedFileSystem::fail_nth_call(uint64_t n, int error, Hit hit) {
  std::lock_guard lock(state_->mutex);
  state_->failures.push_back({state_->calls + n, error, hit});
}

void SimulatedFileSystem::stop_at_call(uint64_t n, Hit hit) {
  std::lock_guard lock(state_->mutex);
  state_->stop_at = state_->calls + n;
  state_->stop_hit = hit;
}

void SimulatedFileSystem::fill_at_call(uint64_t n) {
  std::lock_guard lock(state_->mutex);
  state_->fill_at = state_->calls + n;
}

void SimulatedFileSystem::clear_faults() {
  std::lock_guard lock(state_->mutex);
  for (std::vector<Failure>& failures : state_->failures_of_op) failures.clear();
  state_->failures.clear();
  state_->corrupt_reads.clear();
  state_->stop_at = state_->fill_at = 0;
}

bool SimulatedFileSystem::is_stopped() const {
  std::lock_guard lock(state_->mutex);
  return state_->stopped;
}

void SimulatedFileSystem::corrupt_nth_read(uint64_t n, uint64_t seed) {
  std::lock_guard lock(state_->mutex);
  const uint64_t reads = state_->calls_of_op[static_cast<size_t>(FileOp::kRead)];
  std::mt19937_64 random(seed);
  state_->corrupt_reads.push_back({reads + n, static_cast<int>(random() >> 34)});
}

void SimulatedFileSystem::set_capacity(uint64_t bytes) {
  std::lock_guard lock(state_->mutex);
  state_->capacity = bytes;
}

uint64_t SimulatedFileSystem::used_bytes() const {
  std::lock_guard lock(state_->mutex);
  return state_->used_bytes();
}

void SimulatedFileSystem::on_call(std::function<void(FileOp, const std::string& path)> callback) {
  std::lock_guard lock(state_->mutex);
  state_->callback = std::move(callback);
}

void SimulatedFileSystem::flip_byte(const std::string& path, uint64_t offset, uint8_t mask) {
  std::lock_guard lock(state_->mutex);
  const NodePtr node = state_->find(path);
  for (std::string* bytes : {&node->content, &node->synced}) {
    if (offset < bytes->size()) (*bytes)[offset] = static_cast<char>((*bytes)[offset] ^ mask);
  }
}

uint64_t SimulatedFileSystem::call_count() const {
  std::lock_guard lock(state_->mutex);
  return state_->calls;
}

uint64_t SimulatedFileSystem::call_count(FileOp op) const {
  std::lock_guard lock(state_->mutex);
  return state_->calls_of_op[static_cast<size_t>(op)];
}

uint64_t SimulatedFileSystem::bytes_written() const {
  std::lock_guard lock(state_->mutex);
  return state_->bytes_written;
}

}  // namespace idem
