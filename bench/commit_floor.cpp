// What one-row commits cost without a database: a server that takes the extended protocol's messages, answers each with the same bytes,
// and before it answers a Sync writes a page and calls fdatasync for all that came meanwhile. No server on this machine with these
// clients and this disk can be much faster.
//
//   commit_floor PORT FILE none|here|thread
//
// `here`: the thread that reads and answers also syncs; `thread`: another one does, as IdemDB's log; `none`: nothing is synced. Ends when
// it is killed. For bench/commits.sh.

#include <arpa/inet.h>
#include <condition_variable>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

constexpr size_t kPage = 4096, kFileBytes = size_t{64} << 20;

struct Client {
  int socket = -1;
  bool started = false, commits = false;
  std::string input, output;
};

uint32_t number_at(std::string_view bytes) {
  uint32_t n = 0;
  std::memcpy(&n, bytes.data(), sizeof n);
  return ntohl(n);
}

void add_message(std::string* out, char type, std::string_view body) {
  const uint32_t size = htonl(static_cast<uint32_t>(body.size() + sizeof(uint32_t)));
  *out += type;
  out->append(reinterpret_cast<const char*>(&size), sizeof size);
  out->append(body);
}

void answer(Client* client) {
  (void)!::send(client->socket, client->output.data(), client->output.size(), MSG_NOSIGNAL);
  client->output.clear();
  client->commits = false;
}

class LogFile {
 public:
  explicit LogFile(const char* path)
      : file_(::open(path, O_RDWR | O_CREAT | O_TRUNC, 0600)), page_(kPage, 'x') {
    const std::string zeros(1 << 20, '\0');
    for (size_t written = 0; written < kFileBytes; written += zeros.size())
      (void)!::write(file_, zeros.data(), zeros.size());
    ::fsync(file_);
  }
  void sync() {
    (void)!::pwrite(file_, page_.data(), kPage, static_cast<off_t>(end_ / kPage * kPage % kFileBytes));
    end_ += kPage / 8;
    ::fdatasync(file_);
  }

 private:
  const int file_;
  const std::string page_;
  size_t end_ = 0;
};

// True if a Sync came.
bool take_messages(Client* client) {
  std::string_view in = client->input;
  bool synced = false;
  while (true) {
    if (!client->started) {
      if (in.size() < 8 || in.size() < number_at(in)) break;
      const bool asks_for_tls = number_at(in.substr(4)) != 196'608;
      in.remove_prefix(number_at(in));
      if (asks_for_tls) {
        (void)!::send(client->socket, "N", 1, MSG_NOSIGNAL);
        continue;
      }
      client->started = true;
      add_message(&client->output, 'R', std::string_view("\0\0\0\0", 4));
      add_message(&client->output, 'S', std::string_view("client_encoding\0UTF8\0", 21));
      add_message(&client->output, 'S',
                  std::string_view("server_version\0"
                                   "15.0\0",
                                   20));
      add_message(&client->output, 'Z', "I");
      answer(client);
      continue;
    }
    if (in.size() < 5 || in.size() < number_at(in.substr(1)) + 1) break;
    switch (in[0]) {
      case 'P': add_message(&client->output, '1', ""); break;
      case 'B': add_message(&client->output, '2', ""); break;
      case 'D': add_message(&client->output, 'n', ""); break;
      case 'E':
        add_message(&client->output, 'C', std::string_view("INSERT 0 1\0", 11));
        client->commits = true;
        break;
      case 'S':
        add_message(&client->output, 'Z', "I");
        synced = true;
        break;
      default: break;
    }
    in.remove_prefix(number_at(in.substr(1)) + 1);
  }
  client->input.erase(0, client->input.size() - in.size());
  return synced;
}

class Floor {
 public:
  Floor(uint16_t port, const char* path, std::string_view mode) : log_(path), mode_(mode) {
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(listener_, 128);
    watch(listener_);
    watch(synced_);
    if (mode_ == "thread") std::thread([this] { sync_for_others(); }).detach();
  }

  void run() {
    std::vector<epoll_event> events(128);
    while (true) {
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      std::vector<Client*> committing;
      for (int i = 0; i < count; ++i) handle(events[static_cast<size_t>(i)].data.fd, &committing);
      if (committing.empty()) continue;
      if (mode_ == "thread") {
        const std::lock_guard lock(mutex_);
        waiting_.insert(waiting_.end(), committing.begin(), committing.end());
        came_.notify_one();
        continue;
      }
      if (mode_ == "here") log_.sync();
      for (Client* client : committing) answer(client);
    }
  }

 private:
  void watch(int descriptor) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = descriptor;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
  }

  void handle(int descriptor, std::vector<Client*>* committing) {
    if (descriptor == listener_) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK), on = 1;
      ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      clients_[socket].socket = socket;
      return watch(socket);
    }
    if (descriptor == synced_) {
      uint64_t times = 0;
      (void)!::read(synced_, &times, sizeof times);
      std::vector<Client*> done;
      {
        const std::lock_guard lock(mutex_);
        done.swap(done_);
      }
      for (Client* client : done) answer(client);
      return;
    }
    Client& client = clients_[descriptor];
    const ssize_t bytes = ::recv(descriptor, buffer_.data(), buffer_.size(), 0);
    if (bytes <= 0) {
      ::close(descriptor);
      clients_.erase(descriptor);
      return;
    }
    client.input.append(buffer_, 0, static_cast<size_t>(bytes));
    if (!take_messages(&client)) return;
    if (client.commits) committing->push_back(&client);
    else answer(&client);
  }

  void sync_for_others() {
    std::unique_lock lock(mutex_);
    while (true) {
      came_.wait(lock, [this] { return !waiting_.empty(); });
      const std::vector<Client*> served = std::exchange(waiting_, {});
      lock.unlock();
      log_.sync();
      lock.lock();
      done_.insert(done_.end(), served.begin(), served.end());
      const uint64_t once = 1;
      (void)!::write(synced_, &once, sizeof once);
    }
  }

  LogFile log_;
  const std::string_view mode_;
  const int epoll_ = ::epoll_create1(0), listener_ = ::socket(AF_INET, SOCK_STREAM, 0),
            synced_ = ::eventfd(0, EFD_NONBLOCK);
  std::map<int, Client> clients_;
  std::string buffer_ = std::string(64 * 1024, '\0');
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<Client*> waiting_, done_;  // guarded by mutex_
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  Floor(static_cast<uint16_t>(std::stoi(argv[1])), argv[2], argv[3]).run();
}
