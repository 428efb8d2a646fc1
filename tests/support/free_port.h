#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

namespace keepset {

/// A TCP port of this machine that nobody listens on; 0 where there is none.
inline int free_port()
{
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address {};
    socklen_t bytes = sizeof(address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool bound = ::bind(listener, reinterpret_cast<sockaddr*>(&address), bytes) == 0
        && ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &bytes) == 0;
    ::close(listener);
    return bound ? ntohs(address.sin_port) : 0;
}

} // namespace keepset
