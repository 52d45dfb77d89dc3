/*
 * Unary gRPC calls over one plaintext HTTP/2 connection, for some seconds: `grpc-load HOST PORT PATH TOKEN SECONDS FILE`.
 * FILE holds requests: a length in 4 bytes, most significant first, and so many bytes. Each has its own caller, which sends it
 * again and again, one at a time, with the digits after the mark "#" counting up. Prints what the callers saw as one line of JSON.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { DIGITS = 12, MOST_CALLERS = 1024 };
enum { DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, PING = 6, GOAWAY = 7, WINDOW_UPDATE = 8 };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4 };

struct caller {
  unsigned char *request;
  size_t length;
  unsigned char *digits;
  uint32_t stream;
  int accepted;
  double since;
};

static struct caller callers[MOST_CALLERS];
static int count;
static int waiting[MOST_CALLERS];
static int waiters;
static int by_stream[4 * MOST_CALLERS];
static unsigned char headers[1024];
static size_t headers_length;
static unsigned char *out;
static size_t out_length, out_room;
static int connection;
static uint32_t next_stream = 1;
static int64_t window = 65535, unread;
static uint64_t sent;
static double *durations;
static size_t done, durations_room;

static void fail(const char *why) {
  fprintf(stderr, "grpc-load: %s\n", why);
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void put(const void *bytes, size_t length) {
  if (out_length + length > out_room) {
    out_room = (out_length + length) * 2;
    out = realloc(out, out_room);
    if (out == NULL) fail("out of memory");
  }
  memcpy(out + out_length, bytes, length);
  out_length += length;
}

static void put_frame(int type, int flags, uint32_t stream, size_t length) {
  unsigned char head[9] = {length >> 16, length >> 8, length, type, flags, stream >> 24, stream >> 16, stream >> 8, stream};
  put(head, 9);
}

static void flush(void) {
  for (size_t at = 0; at < out_length;) {
    ssize_t n = write(connection, out + at, out_length - at);
    if (n <= 0) fail("the connection is gone");
    at += n;
  }
  out_length = 0;
}

/* Literal without indexing, no Huffman coding: every server must take it. */
static void put_header(const char *name, const char *value) {
  size_t n = strlen(name), v = strlen(value);
  if (n > 126 || v > 126 || headers_length + n + v + 3 > sizeof headers) fail("a header is too long");
  headers[headers_length++] = 0;
  headers[headers_length++] = n;
  memcpy(headers + headers_length, name, n);
  headers_length += n;
  headers[headers_length++] = v;
  memcpy(headers + headers_length, value, v);
  headers_length += v;
}

static void begin(int index) {
  struct caller *c = &callers[index];
  uint64_t number = sent++;
  for (int i = DIGITS - 1; i >= 0; i--, number /= 10) c->digits[i] = '0' + number % 10;
  c->stream = next_stream;
  c->accepted = 0;
  next_stream += 2;
  by_stream[(c->stream / 2) % (4 * MOST_CALLERS)] = index;
  c->since = now();
  put_frame(HEADERS, END_HEADERS, c->stream, headers_length);
  put(headers, headers_length);
  put_frame(DATA, END_STREAM, c->stream, c->length);
  put(c->request, c->length);
  window -= c->length;
}

static void begin_waiting(void) {
  while (waiters > 0 && window >= (int64_t)callers[waiting[waiters - 1]].length) begin(waiting[--waiters]);
}

static void end(struct caller *c, double until) {
  if (!c->accepted) fail("a message was refused");
  if (done == durations_room) {
    durations_room = durations_room == 0 ? 65536 : durations_room * 2;
    durations = realloc(durations, durations_room * sizeof *durations);
    if (durations == NULL) fail("out of memory");
  }
  double at = now();
  durations[done++] = at - c->since;
  if (at < until) waiting[waiters++] = c - callers;
}

static uint32_t number(const unsigned char *bytes) {
  return (uint32_t)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

static void take(int type, int flags, uint32_t stream, const unsigned char *body, size_t length, double until) {
  struct caller *c = stream == 0 ? NULL : &callers[by_stream[(stream / 2) % (4 * MOST_CALLERS)]];
  switch (type) {
    case DATA:
      /* An answer is an Ack in field 1, its first field `ok`. */
      if (length >= 9 && body[5] == 0x0a && body[7] == 0x08 && body[8] == 1) c->accepted = 1;
      unread += length;
      if (unread > 1 << 20) {
        unsigned char more[4] = {unread >> 24, unread >> 16, unread >> 8, unread};
        put_frame(WINDOW_UPDATE, 0, 0, 4);
        put(more, 4);
        unread = 0;
      }
      if (flags & END_STREAM) end(c, until);
      break;
    case HEADERS:
      if (flags & END_STREAM) end(c, until);
      break;
    case SETTINGS:
      if (!(flags & ACK)) put_frame(SETTINGS, ACK, 0, 0);
      break;
    case PING:
      if (flags & ACK) break;
      put_frame(PING, ACK, 0, length);
      put(body, length);
      break;
    case WINDOW_UPDATE:
      if (stream == 0) window += number(body) & 0x7fffffff;
      break;
    case RST_STREAM:
      fail("the server reset a call");
      break;
    case GOAWAY:
      fail("the server sent the client away");
  }
}

static void read_requests(const char *path) {
  FILE *file = fopen(path, "rb");
  unsigned char head[4];
  if (file == NULL) fail("no file of requests");
  while (count < MOST_CALLERS && fread(head, 1, 4, file) == 4) {
    struct caller *c = &callers[count++];
    uint32_t length = number(head);
    c->length = length + 5;
    c->request = malloc(c->length);
    c->request[0] = 0;
    memcpy(c->request + 1, head, 4);
    if (fread(c->request + 5, 1, length, file) != length) fail("the file of requests is cut off");
    for (size_t i = 5; i + DIGITS < c->length; i++) {
      if (c->request[i] == '#') c->digits = c->request + i + 1;
    }
    if (c->digits == NULL) fail("a request without a mark");
  }
  fclose(file);
  if (count == 0) fail("no requests");
}

static void open_connection(const char *host, const char *port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
  int on = 1;
  if (inet_pton(AF_INET, host, &to.sin_addr) != 1) fail("not an address");
  connection = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(connection, (struct sockaddr *)&to, sizeof to) != 0) fail("nobody listens");
  put("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
  put_frame(SETTINGS, 0, 0, 0);
  unsigned char more[4] = {0x3f, 0, 0, 0};
  put_frame(WINDOW_UPDATE, 0, 0, 4);
  put(more, 4);
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  static unsigned char in[1 << 18];
  size_t in_length = 0;
  if (argc != 7) fail("usage: HOST PORT PATH TOKEN SECONDS FILE");
  char bearer[120];
  snprintf(bearer, sizeof bearer, "Bearer %s", argv[4]);
  put_header(":method", "POST");
  put_header(":scheme", "http");
  put_header(":path", argv[3]);
  put_header(":authority", "localhost");
  put_header("content-type", "application/grpc");
  put_header("te", "trailers");
  put_header("authorization", bearer);
  read_requests(argv[6]);
  open_connection(argv[1], argv[2]);
  for (int i = 0; i < count; i++) waiting[waiters++] = i;
  double start = now(), until = start + atof(argv[5]) * 1e6;
  begin_waiting();
  flush();
  while (done < sent || (waiters > 0 && now() < until)) {
    ssize_t n = read(connection, in + in_length, sizeof in - in_length);
    if (n <= 0) fail("the connection is gone");
    in_length += n;
    size_t at = 0;
    while (in_length - at >= 9) {
      size_t length = (size_t)in[at] << 16 | in[at + 1] << 8 | in[at + 2];
      if (in_length - at < 9 + length) break;
      take(in[at + 3], in[at + 4], number(in + at + 5) & 0x7fffffff, in + at + 9, length, until);
      at += 9 + length;
    }
    memmove(in, in + at, in_length - at);
    in_length -= at;
    begin_waiting();
    flush();
  }
  double seconds = (now() - start) / 1e6;
  qsort(durations, done, sizeof *durations, ascending);
  printf("{\"perSecond\":%.1f,\"p50\":%.1f,\"p99\":%.1f}\n", done / seconds, durations[done / 2], durations[done * 99 / 100]);
  return 0;
}
