#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace idem {

// An ordered map whose copies share everything with the original: a copy is one pointer, and a change of it makes anew only the
// nodes on the way to one entry. A B+ tree with path copying (Bayer and McCreight 1972; Driscoll, Sarnak, Sleator and Tarjan,
// "Making data structures persistent", 1989).
//
//   root   │ Ada ▪ │ Kim ▪ │                slots of an inner node: the first entry below, and the node that has it
//              │       └───────┐
//   leaf   │ Ada │ Ben │   │ Kim │ Zoe │    slots of a leaf: each entry once, in order
//
//   copy.put(Leo): a new root and a new leaf │ Kim │ Leo │ Zoe │; the leaf of Ada and all entries are shared.
//
// All leaves are equally deep, and all nodes but the root have kLeast to kMost slots. With n entries find() takes O(log n), a
// change O(log n) time and new memory, ++ of an iterator O(1) on average, a copy O(1). Keys are compared by <, also with what
// is no K but compares with it.
//
// Different maps may be used by different threads although they share nodes; one map as any other value. An iterator stays
// valid until the map that it came from is changed or goes.
template <class K, class V>
class PersistentMap {
 public:
  using value_type = std::pair<const K, V>;
  class Iterator;

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Iterator begin() const {
    return first_not(root_.get(), [](const K&) { return false; });
  }
  Iterator end() const { return Iterator(); }

  // The first entry whose key is not less.
  template <class Key = K>
  Iterator lower_bound(const Key& key) const {
    return first_not(root_.get(), [&](const K& other) { return other < key; });
  }
  template <class Key = K>
  Iterator find(const Key& key) const {
    const Iterator at = lower_bound(key);
    return at == end() || key < at->first ? end() : at;
  }
  template <class Key = K>
  bool contains(const Key& key) const {
    return find(key) != end();
  }

  // Adds the entry, or puts it in the place of the one with its key.
  void put(K key, V value) {
    const bool added = !contains(key);
    change(key, std::make_shared<const value_type>(key, std::move(value)));
    size_ += added ? 1 : 0;
  }
  // Whether there was one.
  bool erase(const K& key) {
    if (!contains(key)) return false;
    change(key, nullptr);
    --size_;
    return true;
  }
  template <class Predicate>
  void erase_if(Predicate&& goes) {
    std::vector<K> gone;
    for (const value_type& entry : *this) {
      if (goes(entry)) gone.push_back(entry.first);
    }
    for (const K& key : gone) erase(key);
  }

 private:
  static constexpr size_t kMost = 32, kLeast = kMost / 2;

  struct Node;
  struct Slot {
    std::shared_ptr<const value_type> first;
    std::shared_ptr<const Node> child;  // null in a leaf
    const K& key() const { return first->first; }
  };
  using Slots = std::vector<Slot>;
  struct Node {
    Slots slots;  // never empty
    bool is_leaf() const { return !slots[0].child; }
  };

  // The first entry whose key is not `before`, which is true of a part at the front.
  template <class Before>
  static Iterator first_not(const Node* root, const Before& before) {
    const Node* next = nullptr;  // the subtree right of the way down
    for (const Node* node = root; node;) {
      const auto slot = std::partition_point(node->slots.begin(), node->slots.end(),
                                             [&](const Slot& s) { return before(s.key()); });
      const bool beyond = slot == node->slots.end();
      if (node->is_leaf()) {
        if (!beyond) return Iterator(root, node, static_cast<size_t>(slot - node->slots.begin()));
        node = std::exchange(next, nullptr);
      } else {
        if (!beyond) next = slot->child.get();
        node = slot == node->slots.begin() ? slot->child.get() : std::prev(slot)->child.get();
      }
    }
    return Iterator();
  }

  // With the entry, or without the one of the key where it is null.
  void change(const K& key, std::shared_ptr<const value_type> entry) {
    Slots slots = changed(root_ ? root_->slots : Slots(), key, std::move(entry));
    if (slots.size() > kMost) slots = nodes_of(std::move(slots));
    if (slots.empty()) {
      root_ = nullptr;
    } else if (slots.size() == 1 && slots[0].child) {
      root_ = slots[0].child;
    } else {
      root_ = std::make_shared<const Node>(Node{std::move(slots)});
    }
  }

  // What the slots of a node become: up to one more than fit into a node, or one less than it must have.
  static Slots changed(Slots slots, const K& key, std::shared_ptr<const value_type> entry) {
    auto slot = std::upper_bound(slots.begin(), slots.end(), key,
                                 [](const K& wanted, const Slot& s) { return wanted < s.key(); });
    if (slots.empty() || !slots[0].child) {
      const bool is_there = slot != slots.begin() && !(std::prev(slot)->key() < key);
      if (is_there) slot = slots.erase(std::prev(slot));
      if (entry) slots.insert(slot, {std::move(entry), nullptr});
      return slots;
    }
    if (slot != slots.begin()) --slot;
    Slots below = changed(slot->child->slots, key, std::move(entry));
    auto end = std::next(slot);
    if (below.size() < kLeast) {  // is joined with a neighbour
      const auto beside = end == slots.end() ? std::prev(slot) : end;
      const Slots& others = beside->child->slots;
      below.insert(beside == end ? below.end() : below.begin(), others.begin(), others.end());
      if (beside == end) {
        ++end;
      } else {
        slot = beside;
      }
    }
    const Slots nodes = nodes_of(std::move(below));
    slot = slots.erase(slot, end);
    slots.insert(slot, nodes.begin(), nodes.end());
    return slots;
  }

  // Slots of one node, or of two equally filled ones, that hold these.
  static Slots nodes_of(Slots slots) {
    assert(slots.size() >= kLeast && slots.size() <= 2 * kMost);
    Slots nodes;
    const auto add = [&](auto begin, auto end) {
      const auto first = begin->first;
      nodes.push_back({first, std::make_shared<const Node>(Node{Slots(begin, end)})});
    };
    const auto begin = std::make_move_iterator(slots.begin()), end = std::make_move_iterator(slots.end());
    const auto middle = begin + static_cast<std::ptrdiff_t>(slots.size() > kMost ? slots.size() / 2 : 0);
    if (middle != begin) add(begin, middle);
    add(middle, end);
    return nodes;
  }

  std::shared_ptr<const Node> root_;
  size_t size_ = 0;
};

template <class K, class V>
class PersistentMap<K, V>::Iterator {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = PersistentMap::value_type;
  using difference_type = std::ptrdiff_t;
  using pointer = const value_type*;
  using reference = const value_type&;

  Iterator() = default;  // the end of every map
  reference operator*() const { return *leaf_->slots[slot_].first; }
  pointer operator->() const { return leaf_->slots[slot_].first.get(); }
  Iterator& operator++() {
    const K& key = (**this).first;
    if (++slot_ == leaf_->slots.size())
      *this = first_not(root_, [&](const K& other) { return !(key < other); });
    return *this;
  }
  Iterator operator++(int) {
    Iterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const Iterator& other) const { return leaf_ == other.leaf_ && slot_ == other.slot_; }

 private:
  friend class PersistentMap;
  Iterator(const Node* root, const Node* leaf, size_t slot) : root_(root), leaf_(leaf), slot_(slot) {}

  const Node* root_ = nullptr;
  const Node* leaf_ = nullptr;
  size_t slot_ = 0;
};

}  // namespace idem
