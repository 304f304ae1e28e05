//! Libraries that are loaded into the program before its own, in place of a machine that a test cannot have: one whose
//! clocks jump, whose kernel is out of something, or whose disk is slow. The program itself is the real one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::program::Start;

/// Reason for which rows with such a library cannot run.
pub const NO_COMPILER: &str =
    "no C compiler (cc), or no x86-64, for the library that stands for such a machine";

/// Changes clocks by `MATRIX_SHIFT` seconds while a file is there: those whose number is a bit of `MATRIX_CLOCKS`. The
/// program reads its clocks through the vDSO, also past the C library, so it is the function there that is replaced.
pub const CLOCK: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long changed;
static long change;

static int read_clock(clockid_t clock, struct timespec *time) {
  int before = errno;
  int result = syscall(SYS_clock_gettime, clock, time) == 0 ? 0 : -errno;
  if (result == 0 && clock >= 0 && clock < 32 && changed >> clock & 1 && access("shifted", F_OK) == 0)
    time->tv_sec += change;
  errno = before;
  return result;
}

__attribute__((constructor)) static void replace(void) {
  /* mov rax, the function; jmp rax */
  unsigned char jump[12] = {0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xe0};
  int (*function)(clockid_t, struct timespec *) = read_clock;
  void *vdso = dlopen("linux-vdso.so.1", RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
  void *there = vdso ? dlsym(vdso, "__vdso_clock_gettime") : NULL;
  int memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
  changed = atol(getenv("MATRIX_CLOCKS"));
  change = atol(getenv("MATRIX_SHIFT"));
  memcpy(jump + 2, &function, sizeof function);
  if (!there || pwrite(memory, jump, sizeof jump, (off_t)there) != sizeof jump)
    abort();
  close(memory);
}
"#;

/// Makes `socket` (`MATRIX_CALL=socket`) or `connect` fail with the error `MATRIX_ERRNO` while a file is there.
pub const SOCKETS: &str = r#"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_out(const char *call) {
  int before = errno;
  int is_out = strcmp(getenv("MATRIX_CALL"), call) == 0 && access("out", F_OK) == 0;
  errno = is_out ? atoi(getenv("MATRIX_ERRNO")) : before;
  return is_out;
}

int socket(int domain, int type, int protocol) {
  return is_out("socket") ? -1 : (int)syscall(SYS_socket, domain, type, protocol);
}

/* Sockets of other kinds connect, which only asks for a route. */
static int is_stream(int socket) {
  int type = 0, before = errno;
  socklen_t length = sizeof type;
  getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &length);
  errno = before;
  return type == SOCK_STREAM;
}

int connect(int socket, const struct sockaddr *address, socklen_t length) {
  return is_stream(socket) && is_out("connect") ? -1
                                               : (int)syscall(SYS_connect, socket, address, length);
}
"#;

/// Lets `fsync` wait as long as the file `MATRIX_SLOW` is there.
pub const DISK: &str = r#"
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int fsync(int file) {
  while (access(getenv("MATRIX_SLOW"), F_OK) == 0)
    usleep(10000);
  return (int)syscall(SYS_fsync, file);
}
"#;

/// Reports whether [`CLOCK`] can be compiled: its jump is one of this processor.
pub fn can_change_clocks() -> bool {
    cfg!(target_arch = "x86_64") && can_compile()
}

/// Reports whether there is a compiler.
pub fn can_compile() -> bool {
    let mut compiler = Command::new("cc");
    compiler.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    compiler.status().is_ok_and(|status| status.success())
}

/// Compiles a library into `folder`; returns its path.
pub fn compile(folder: &Path, source: &str) -> PathBuf {
    let (from, library) = (folder.join("preload.c"), folder.join("preload.so"));
    std::fs::write(&from, source).unwrap();
    let mut compile = Command::new("cc");
    compile.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&from).arg("-ldl");
    assert!(compile.status().unwrap().success());
    library
}

/// Loads a library into a program that is not started yet.
pub fn loaded(start: Start, source: &str) -> Start {
    let library = compile(start.folder(), source);
    start.env("LD_PRELOAD", library.to_str().unwrap())
}
