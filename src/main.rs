//! The `motcua` program.

use std::process::ExitCode;

/// Polars and the mapping allocate much and free it late: the system's allocator keeps too much of it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Two TLS providers are linked (through the lake's cloud stack): one must be chosen before the first request.
    let _ = rustls::crypto::ring::default_provider().install_default();
    motcua::cli::main()
}
