#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace idem {

// An immutable vector whose changed copies share almost everything with the original: a radix tree with 32
// children per node. T is cheap to copy, default-constructible and comparable (a shared_ptr, an id).
//
//   set(40, x):      root ─┬─ leaf 0..31  ◀─────┬─ root'
//                          └─ leaf 32..63       └─ leaf' 32..63, element 40 replaced
//
// Like any immutable value it may be read from any thread.
template <class T>
class PersistentVector {
 public:
  PersistentVector() = default;

  static PersistentVector from(std::span<const T> values) {
    std::vector<NodePtr> level;
    for (size_t i = 0; i < values.size(); i += kFanout) {
      auto leaf = std::make_shared<Leaf>();
      for (size_t j = i; j < values.size() && j < i + kFanout; ++j) leaf->values[j - i] = values[j];
      level.push_back(std::move(leaf));
    }
    size_t height = 0;
    for (; level.size() > 1; ++height) {
      std::vector<NodePtr> above;
      for (size_t i = 0; i < level.size(); i += kFanout) {
        auto inner = std::make_shared<Inner>();
        for (size_t j = i; j < level.size() && j < i + kFanout; ++j) inner->children[j - i] = level[j];
        above.push_back(std::move(inner));
      }
      level = std::move(above);
    }
    return PersistentVector(level.empty() ? nullptr : level[0], height, values.size());
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  const T& operator[](size_t i) const {
    assert(i < size_);
    const void* node = root_.get();
    for (size_t h = height_; h > 0; --h) node = as_inner(node).children[slot(i, h)].get();
    return as_leaf(node).values[slot(i, 0)];
  }
  const T& back() const { return (*this)[size_ - 1]; }

  PersistentVector set(size_t i, T value) const {
    assert(i < size_);
    return PersistentVector(with(root_, height_, i, std::move(value)), height_, size_);
  }

  PersistentVector push_back(T value) const {
    size_t height = height_;
    NodePtr root = root_;
    if (root_ && size_ == capacity(height_)) {
      auto above = std::make_shared<Inner>();
      above->children[0] = root_;
      root = std::move(above);
      ++height;
    }
    return PersistentVector(with(root, height, size_, std::move(value)), height, size_ + 1);
  }

  // Each element as fn(const T&) gives it, asked in order; nodes in which none differs are shared.
  template <class F>
  PersistentVector transformed(F&& fn) const {
    return PersistentVector(root_ ? transform(root_, height_, 0, fn) : nullptr, height_, size_);
  }

  // fn(const T&), in order.
  template <class F>
  void for_each(F&& fn) const {
    if (root_) visit(root_.get(), height_, 0, fn);
  }

  // fn(i) for every index, in order, whose element is in one of the two only or not equal in both. Parts that
  // are shared are not looked at: after k changes this costs O(k log n).
  template <class F>
  static void for_each_difference(const PersistentVector& a, const PersistentVector& b, F&& fn) {
    const PersistentVector& low = a.height_ <= b.height_ ? a : b;
    const PersistentVector& high = a.height_ <= b.height_ ? b : a;
    const size_t common_size = a.size_ < b.size_ ? a.size_ : b.size_;
    const size_t whole_size = a.size_ < b.size_ ? b.size_ : a.size_;
    const void* node = high.root_.get();  // the part of the higher tree that covers the lower one
    for (size_t h = high.height_; h > low.height_; --h) node = as_inner(node).children[0].get();
    compare(low.root_.get(), node, low.height_, 0, common_size, fn);
    for (size_t i = common_size; i < whole_size; ++i) fn(i);
  }

  class Iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    Iterator(const PersistentVector* vector, size_t i) : vector_(vector), i_(i) {}
    const T& operator*() const { return (*vector_)[i_]; }
    Iterator& operator++() {
      ++i_;
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++i_;
      return before;
    }
    bool operator==(const Iterator& other) const { return i_ == other.i_; }

   private:
    const PersistentVector* vector_ = nullptr;
    size_t i_ = 0;
  };
  Iterator begin() const { return Iterator(this, 0); }
  Iterator end() const { return Iterator(this, size_); }

 private:
  static constexpr size_t kBits = 5;
  static constexpr size_t kFanout = size_t{1} << kBits;

  // Which of the two a node is follows from its height: 0 is a leaf.
  using NodePtr = std::shared_ptr<const void>;
  struct Inner {
    std::array<NodePtr, kFanout> children;
  };
  struct Leaf {
    std::array<T, kFanout> values{};
  };

  PersistentVector(NodePtr root, size_t height, size_t size)
      : root_(std::move(root)), height_(height), size_(size) {}

  static const Inner& as_inner(const void* node) { return *static_cast<const Inner*>(node); }
  static const Leaf& as_leaf(const void* node) { return *static_cast<const Leaf*>(node); }
  static size_t slot(size_t i, size_t height) { return (i >> (kBits * height)) & (kFanout - 1); }
  static size_t capacity(size_t height) { return size_t{1} << (kBits * (height + 1)); }

  // A copy of the path from `node` (which may be null) to element i, with that element replaced.
  static NodePtr with(const NodePtr& node, size_t height, size_t i, T value) {
    if (height == 0) {
      auto leaf = node ? std::make_shared<Leaf>(as_leaf(node.get())) : std::make_shared<Leaf>();
      leaf->values[slot(i, 0)] = std::move(value);
      return leaf;
    }
    auto inner = node ? std::make_shared<Inner>(as_inner(node.get())) : std::make_shared<Inner>();
    NodePtr& child = inner->children[slot(i, height)];
    child = with(child, height - 1, i, std::move(value));
    return inner;
  }

  template <class F>
  NodePtr transform(const NodePtr& node, size_t height, size_t base, F& fn) const {
    if (height == 0) {
      return transform_slots(as_leaf(node.get()), node, &Leaf::values, height, base,
                             [&](const T& value, size_t) { return fn(value); });
    }
    return transform_slots(
        as_inner(node.get()), node, &Inner::children, height, base,
        [&](const NodePtr& child, size_t first) { return transform(child, height - 1, first, fn); });
  }
  // The node with what fn(slot, first index) gives for each slot in use; itself if nothing differs.
  template <class Node, class Slots, class F>
  NodePtr transform_slots(const Node& from, const NodePtr& node, Slots Node::*slots, size_t height,
                          size_t base, const F& fn) const {
    std::shared_ptr<Node> changed;
    for (size_t s = 0; s < kFanout; ++s) {
      const size_t first = base + (s << (kBits * height));
      if (first >= size_) break;
      auto value = fn((from.*slots)[s], first);
      if (value == (from.*slots)[s]) continue;
      if (!changed) changed = std::make_shared<Node>(from);
      ((*changed).*slots)[s] = std::move(value);
    }
    return changed ? changed : node;
  }

  template <class F>
  void visit(const void* node, size_t height, size_t base, F& fn) const {
    for (size_t s = 0; s < kFanout; ++s) {
      const size_t first = base + (s << (kBits * height));
      if (first >= size_) return;
      if (height == 0) {
        fn(as_leaf(node).values[s]);
      } else {
        visit(as_inner(node).children[s].get(), height - 1, first, fn);
      }
    }
  }

  template <class F>
  static void compare(const void* a, const void* b, size_t height, size_t base, size_t end, F& fn) {
    if (a == b) return;
    for (size_t s = 0; s < kFanout; ++s) {
      const size_t first = base + (s << (kBits * height));
      if (first >= end) return;
      if (height == 0) {
        if (!(as_leaf(a).values[s] == as_leaf(b).values[s])) fn(first);
      } else {
        compare(as_inner(a).children[s].get(), as_inner(b).children[s].get(), height - 1, first, end, fn);
      }
    }
  }

  NodePtr root_;
  size_t height_ = 0;
  size_t size_ = 0;
};

}  // namespace idem
