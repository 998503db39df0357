#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace idem {

// The disk under SimulatedFileSystem: what it holds now, and what a crash may leave of it. Guarded by its
// lock.

struct SimulatedNode;
using SimulatedNodePtr = std::shared_ptr<SimulatedNode>;

// A file or folder. What a crash may leave of a file: `synced`, with each sector of `unsynced` replaced by
// any of its versions or not, cut or extended to any size in [min_size, max_size].
struct SimulatedNode {
  struct UnsyncedSector {
    std::vector<std::string> versions;  // what the sector held since the last sync, newest last
    bool sync_failed = false;           // a sync that should have written it failed: none will
  };

  bool is_directory = false;

  std::string content;
  std::string synced;
  std::map<uint64_t, UnsyncedSector> unsynced;
  uint64_t min_size = 0;
  uint64_t max_size = 0;

  std::map<std::string, SimulatedNodePtr> entries;
  std::map<std::string, SimulatedNodePtr> synced_entries;

  void write(uint64_t offset, const char* data, size_t size);
  void resize(uint64_t size);
  void sync();
  void fail_sync();

 private:
  void note_size();
  void note_change(uint64_t sector, const std::string& before);
};

// One operation on names, which a crash leaves done or not as a whole.
struct SimulatedNameChange {
  struct Entry {
    SimulatedNodePtr directory;
    std::string name;
    SimulatedNodePtr node;  // null: removed
  };
  std::vector<Entry> entries;

  bool touches(const std::set<const SimulatedNode*>& directories) const;
  void apply_now() const;
  void apply_to_synced() const;
};

// The tree below `root` as it is now, all of it synced.
SimulatedNodePtr copy_of(const SimulatedNode& root);

// What is left of the tree below `root` after a crash, all of it synced. Hard links to one file stay so.
// `unsynced_names` are in the order in which they happened. `percent` of what was not synced survives;
// without it the seed chooses that, too.
SimulatedNodePtr after_crash(const SimulatedNode& root,
                             const std::vector<SimulatedNameChange>& unsynced_names, uint64_t seed,
                             std::optional<uint32_t> percent);

}  // namespace idem
