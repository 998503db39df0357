#include "common/simulated_disk.h"

#include <algorithm>
#include <random>
#include <utility>

namespace idem {

namespace {

constexpr uint64_t kSectorBytes = 512;

std::string sector_of(const std::string& bytes, uint64_t sector) {
  std::string out(kSectorBytes, '\0');
  const uint64_t offset = sector * kSectorBytes;
  if (offset < bytes.size()) bytes.copy(out.data(), kSectorBytes, offset);
  return out;
}

void put_sector(std::string& bytes, uint64_t sector, const std::string& data) {
  const uint64_t offset = sector * kSectorBytes;
  if (bytes.size() < offset + kSectorBytes) bytes.resize(offset + kSectorBytes);
  data.copy(bytes.data() + offset, kSectorBytes);
}

void apply(const SimulatedNameChange::Entry& change, std::map<std::string, SimulatedNodePtr>& entries) {
  if (change.node) {
    entries[change.name] = change.node;
  } else {
    entries.erase(change.name);
  }
}

// How a crash treats what was unsynced: all lost, all kept, or each by its own toss with one bias.
class Survival {
 public:
  Survival(uint64_t seed, std::optional<uint32_t> percent)
      : random_(seed), percent_(percent ? *percent : static_cast<uint32_t>(below(5)) * 25) {}
  bool survives() { return below(100) < percent_; }
  uint64_t below(uint64_t n) { return random_() % n; }

 private:
  std::mt19937_64 random_;
  uint32_t percent_;
};

std::string surviving_content(const SimulatedNode& file, Survival& survival) {
  std::string out = file.synced;
  for (const auto& [sector, state] : file.unsynced) {
    if (survival.survives()) {
      // Mostly the newest: an older version needs that the kernel wrote the page back between two writes.
      const size_t last = state.versions.size() - 1;
      const size_t pick = survival.below(4) == 0 ? survival.below(last + 1) : last;
      put_sector(out, sector, state.versions[pick]);
    }
  }
  uint64_t size = file.synced.size();
  if (file.min_size != file.max_size && survival.survives()) {
    const uint64_t choice = survival.below(3);
    size = choice == 0   ? file.content.size()
           : choice == 1 ? file.max_size
                         : file.min_size + survival.below(file.max_size - file.min_size + 1);
  }
  out.resize(size, '\0');
  return out;
}

// What is left of the tree below `node`, all of it synced. Hard links to one file stay links to one file.
SimulatedNodePtr surviving_tree(const SimulatedNode& node, Survival& survival,
                                std::map<const SimulatedNode*, SimulatedNodePtr>& done) {
  if (auto it = done.find(&node); it != done.end()) return it->second;
  auto copy = std::make_shared<SimulatedNode>();
  done[&node] = copy;
  copy->is_directory = node.is_directory;
  if (!node.is_directory) {
    copy->content = surviving_content(node, survival);
    copy->synced = copy->content;
    copy->min_size = copy->max_size = copy->content.size();
  }
  for (const auto& [name, child] : node.synced_entries) {
    copy->entries[name] = surviving_tree(*child, survival, done);
  }
  copy->synced_entries = copy->entries;
  return copy;
}

}  // namespace

void SimulatedNode::note_size() {
  min_size = std::min<uint64_t>(min_size, content.size());
  max_size = std::max<uint64_t>(max_size, content.size());
}

void SimulatedNode::note_change(uint64_t sector, const std::string& before) {
  std::string now = sector_of(content, sector);
  auto it = unsynced.find(sector);
  if (it != unsynced.end()) it->second.sync_failed = false;
  if (now == before) return;
  if (it == unsynced.end()) it = unsynced.emplace(sector, UnsyncedSector{}).first;
  it->second.versions.push_back(std::move(now));
}

void SimulatedNode::write(uint64_t offset, const char* data, size_t size) {
  if (size == 0) return;
  if (content.size() < offset + size) content.resize(offset + size, '\0');
  note_size();
  for (uint64_t done = 0; done < size;) {
    const uint64_t sector = (offset + done) / kSectorBytes;
    const uint64_t piece = std::min<uint64_t>(size - done, (sector + 1) * kSectorBytes - (offset + done));
    const std::string before = sector_of(content, sector);
    std::copy_n(data + done, piece, content.data() + offset + done);
    note_change(sector, before);
    done += piece;
  }
}

void SimulatedNode::resize(uint64_t size) {
  const uint64_t old_size = content.size();
  std::map<uint64_t, std::string> before;
  for (uint64_t sector = size / kSectorBytes; sector * kSectorBytes < old_size; ++sector) {
    before[sector] = sector_of(content, sector);
  }
  content.resize(size, '\0');
  note_size();
  for (const auto& [sector, bytes] : before) note_change(sector, bytes);
}

void SimulatedNode::sync() {
  for (auto it = unsynced.begin(); it != unsynced.end();) {
    if (it->second.sync_failed) {
      ++it;
      continue;
    }
    put_sector(synced, it->first, it->second.versions.back());
    it = unsynced.erase(it);
  }
  synced.resize(content.size(), '\0');
  min_size = max_size = content.size();
}

void SimulatedNode::fail_sync() {
  for (auto& [sector, state] : unsynced) state.sync_failed = true;
}

bool SimulatedNameChange::touches(const std::set<const SimulatedNode*>& directories) const {
  return std::any_of(entries.begin(), entries.end(),
                     [&](const Entry& e) { return directories.contains(e.directory.get()); });
}

void SimulatedNameChange::apply_now() const {
  for (const Entry& entry : entries) apply(entry, entry.directory->entries);
}

void SimulatedNameChange::apply_to_synced() const {
  for (const Entry& entry : entries) apply(entry, entry.directory->synced_entries);
}

SimulatedNodePtr copy_of(const SimulatedNode& root) {
  auto copy = std::make_shared<SimulatedNode>();
  copy->is_directory = root.is_directory;
  copy->content = copy->synced = root.content;
  copy->min_size = copy->max_size = root.content.size();
  for (const auto& [name, child] : root.entries) copy->entries[name] = copy_of(*child);
  copy->synced_entries = copy->entries;
  return copy;
}

SimulatedNodePtr after_crash(const SimulatedNode& root,
                             const std::vector<SimulatedNameChange>& unsynced_names, uint64_t seed,
                             std::optional<uint32_t> percent) {
  Survival survival(seed, percent);
  for (const SimulatedNameChange& change : unsynced_names) {
    if (survival.survives()) change.apply_to_synced();
  }
  std::map<const SimulatedNode*, SimulatedNodePtr> done;
  return surviving_tree(root, survival, done);
}

}  // namespace idem
