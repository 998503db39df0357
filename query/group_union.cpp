#include "query/group_union.h"

#include <algorithm>
#include <bit>

#include "query/parallel_pieces.h"

namespace idem {

namespace {

constexpr uint64_t kWorthUniting = 8192;     // fewer are brought together by one thread
constexpr uint64_t kPartGroups = 16 * 1024;  // of all ranges: their slots fit into the second-level cache
constexpr uint32_t kMostPartBits = 8;
constexpr uint32_t kBatch = 64;  // look-ups whose keys and states are on their way at once

uint64_t total_groups(const RangeGroups& ranges) {
  uint64_t groups = 0;
  for (const auto& range : ranges) groups += range->size();
  return groups;
}

struct PartMemory {
  explicit PartMemory(MemoryBudget* budget) : counted(budget) {}
  AggregateArena arena;
  OperatorMemory counted;
};

// What states that were folded into each other may point into.
struct UnionMemory {
  std::vector<std::unique_ptr<PartMemory>> parts;
  std::vector<std::shared_ptr<AggregateArena>> ranges;
};

// The groups of one part of the hash.
class GroupPart {
 public:
  GroupPart(const AggregateSpec& spec, std::vector<UnitedGroups>& ranges, PartMemory& memory)
      : spec_(spec), ranges_(ranges), memory_(memory), groups_(ranges.size()) {}

  void unite(uint32_t part, uint32_t bits) {
    size_t count = 0;
    for (size_t r = 0; r < ranges_.size(); ++r) {
      ranges_[r].groups->table->for_each_in_part(part, bits, [&](uint32_t hash, uint32_t group) {
        groups_[r].push_back({hash, group});
      });
      count += groups_[r].size();
    }
    // Nobody looks for groups of the last range.
    slots_.resize(std::bit_ceil(std::max<size_t>((count - groups_.back().size()) * 2, 2)));
    bits_ = bits;
    shift_ = 32 - static_cast<uint32_t>(std::countr_zero(slots_.size()));
    for (uint32_t r = 0; r < ranges_.size(); ++r) {
      for (size_t first = 0; first < groups_[r].size(); first += kBatch)
        add(r, std::span(groups_[r]).subspan(first, std::min<size_t>(kBatch, groups_[r].size() - first)));
    }
    memory_.counted.set(memory_.arena.bytes());
  }

 private:
  struct Group {
    uint32_t hash, group;
  };
  struct Slot {
    uint32_t hash, group;
    uint32_t range;  // + 1; 0: empty
  };

  size_t place(uint32_t hash) const { return hash << bits_ >> shift_; }
  size_t after(size_t at) const { return (at + 1) & (slots_.size() - 1); }
  // From there on the next slot with this hash, or an empty one.
  size_t next(size_t at, uint32_t hash) const {
    while (slots_[at].range != 0 && slots_[at].hash != hash) at = after(at);
    return at;
  }

  void add(uint32_t range, std::span<const Group> groups) {
    UnitedGroups& later = ranges_[range];
    for (const Group& group : groups) {
      const Slot& slot = slots_[next(place(group.hash), group.hash)];
      if (range == 0 || slot.range == 0) continue;
      later.groups->table->prefetch_key(group.group);
      __builtin_prefetch(later.groups->states.at(group.group));
      const AggregateGroups& earlier = *ranges_[slot.range - 1].groups;
      earlier.table->prefetch_key(slot.group);
      __builtin_prefetch(earlier.states.at(slot.group), 1);
    }
    for (const Group& group : groups) {
      size_t at = next(place(group.hash), group.hash);
      while (slots_[at].range != 0 && !is_of(group.group, *later.groups->table, slots_[at]))
        at = next(after(at), group.hash);
      if (slots_[at].range == 0) {
        if (range + 1 < ranges_.size()) slots_[at] = {group.hash, group.group, range + 1};
        continue;
      }
      AggregateGroups& earlier = *ranges_[slots_[at].range - 1].groups;
      spec_.layout.combine(earlier.states.at(slots_[at].group), later.groups->states.at(group.group),
                           memory_.arena);
      later.folded[group.group] = 1;
    }
  }

  bool is_of(uint32_t group, const GroupTable& table, const Slot& slot) const {
    const GroupTable& earlier = *ranges_[slot.range - 1].groups->table;
    return &earlier != &table && table.equal(group, earlier, slot.group);
  }

  const AggregateSpec& spec_;
  std::vector<UnitedGroups>& ranges_;
  PartMemory& memory_;
  std::vector<std::vector<Group>> groups_;  // by range
  std::vector<Slot> slots_;
  uint32_t bits_ = 0, shift_ = 0;
};

}  // namespace

uint32_t UnitedGroups::select(uint32_t first, uint32_t count, uint16_t* out) const {
  uint32_t selected = 0;
  for (uint32_t i = 0; i < count; ++i) {
    out[selected] = static_cast<uint16_t>(i);
    selected += folded[first + i] ^ 1u;
  }
  return selected;
}

bool can_unite_groups(const AggregateSpec& spec, const RangeGroups& ranges) {
  if (spec.has_deferred || ranges.size() < 2 || !ranges[0]->table || total_groups(ranges) < kWorthUniting)
    return false;
  return std::all_of(ranges.begin(), ranges.end(), [&](const std::unique_ptr<AggregateGroups>& range) {
    return range->table->is_comparable(*ranges[0]->table);
  });
}

std::vector<UnitedGroups> unite_groups(const AggregateSpec& spec, RangeGroups ranges,
                                       const ExecutionContext& context) {
  const uint64_t total = total_groups(ranges);
  const uint32_t bits =
      std::clamp<uint32_t>(static_cast<uint32_t>(std::bit_width(total / kPartGroups)), 1, kMostPartBits);
  const uint32_t parts = 1u << bits;
  const auto memory = std::make_shared<UnionMemory>();
  for (uint32_t part = 0; part < parts; ++part)
    memory->parts.push_back(std::make_unique<PartMemory>(context.memory));
  std::vector<UnitedGroups> united;
  for (std::unique_ptr<AggregateGroups>& range : ranges) {
    range->seal();
    range->sources = memory;
    memory->ranges.push_back(range->states.shared_arena());
    const uint32_t size = range->size();
    united.push_back({std::move(range), std::vector<uint8_t>(size, 0), size});
  }
  for_pieces(context, parts, total, [&](size_t part) {
    GroupPart(spec, united, *memory->parts[part]).unite(static_cast<uint32_t>(part), bits);
  });
  for (UnitedGroups& range : united) {
    range.live = static_cast<uint32_t>(std::count(range.folded.begin(), range.folded.end(), 0));
    if (range.live == range.folded.size()) range.folded.clear();
  }
  return united;
}

}  // namespace idem
