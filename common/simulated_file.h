#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/file.h"

namespace idem {

// A file system in memory that knows what is synced and what is not, and can lose, tear, fail or delay any
// call.
//
// What a crash may do to what was not synced:
//   * file contents: each 512-byte sector holds, independently of the others, what was synced or anything
//   that it held since;
//   * file size: anything between the smallest and the largest size since the last sync;
//   * names (create, rename, link, remove, make_directory): each operation since the last sync of its folder
//   happened
//     or did not, independently of the others; a rename is never half done. A file without a name is gone,
//     synced or not.
// After a failed sync the sectors that it should have written stay unsynced, even if a later sync succeeds,
// until they are written again: that is what Linux does.
//
// Deterministic: the same calls and seeds give the same bytes. Thread-safe. Files that are open share the
// state of the file system and may outlive it.
class SimulatedFileSystem final : public FileSystem {
 public:
  SimulatedFileSystem();
  ~SimulatedFileSystem() override;

  IoResult<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  IoStatus rename(const std::string& from, const std::string& to) override;
  IoStatus remove(const std::string& path) override;
  IoStatus link(const std::string& existing, const std::string& link_path) override;
  IoResult<std::vector<DirectoryEntry>> list(const std::string& directory) override;
  IoStatus make_directory(const std::string& path) override;
  IoStatus sync_directory(const std::string& path) override;
  IoResult<bool> exists(const std::string& path) override;
  IoResult<uint64_t> file_size(const std::string& path) override;
  IoResult<uint64_t> free_space(const std::string& path) override;
  IoResult<std::unique_ptr<FolderLock>> lock(const std::string& directory) override;

  // What a crash leaves of what was not synced.
  enum class Unsynced : uint8_t { kRandom, kLost, kKept };

  // The machine loses power: every later call on this file system fails with EIO, and the result holds what
  // was left on disk, all of it synced.
  std::unique_ptr<SimulatedFileSystem> crash(uint64_t seed, Unsynced unsynced = Unsynced::kRandom);
  // Another disk with the same content, all of it synced. Without faults.
  std::unique_ptr<SimulatedFileSystem> copy() const;
  // The process is killed, the machine goes on: as crash(), but nothing is lost, and what was unsynced still
  // is.
  std::unique_ptr<SimulatedFileSystem> kill_process();

  // The n-th call of this kind from now on (1 is the next) fails with this errno. A failing write writes its
  // first half. Several may be pending.
  void fail_nth(FileOp op, uint64_t n, int error);
  // What a call that is hit does before it fails.
  enum class Hit : uint8_t {
    kNothing,
    kPartly,  // a write writes its first half; others do nothing
    kWholly,  // it is done, and yet reported as failed
  };
  // As fail_nth, counting calls of every kind.
  void fail_nth_call(uint64_t n, int error, Hit hit = Hit::kPartly);
  // The n-th call from now on of any kind, and all that follow, fail with EIO and do nothing: the moment of a
  // crash.
  void stop_at_call(uint64_t n, Hit hit = Hit::kPartly);
  // From the n-th call on the disk is full: as set_capacity() with what is used then.
  void fill_at_call(uint64_t n);
  // What was asked for with the calls above and has not happened will not.
  void clear_faults();
  bool is_stopped() const;
  // The n-th read from now on succeeds with one bit of its result flipped.
  void corrupt_nth_read(uint64_t n, uint64_t seed);
  // Writes and preallocations that would take more than this fail with ENOSPC. Unlimited at first.
  void set_capacity(uint64_t bytes);
  uint64_t used_bytes() const;
  // Called before every call, without locks held, so that a test may delay or block it.
  void on_call(std::function<void(FileOp, const std::string& path)> callback);
  // Damages stored bytes: XORs the byte at `offset`, as if it had been synced so.
  void flip_byte(const std::string& path, uint64_t offset, uint8_t mask);

  uint64_t call_count() const;
  uint64_t call_count(FileOp op) const;
  uint64_t bytes_written() const;

  struct State;  // shared with the open files

 private:
  explicit SimulatedFileSystem(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace idem
