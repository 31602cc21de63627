//! Lists the modules of the standard library and the stages, and compiles the CUDA kernels to PTX if the feature asks for
//! them.

use std::env;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

const LIBRARY: &str = "stdlib";
const STAGES: &str = "src/ops/stages/mod.rs";
const FETCHED: &str = "target/cuda/toolkit/nvidia/cu13/bin/nvcc";
const SOURCE: &str = "src/nn/net/cuda/kernels.cu";

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    for (place, listed) in [(LIBRARY, list_modules()), (STAGES, list_stages())] {
        if let Err(error) = listed {
            println!("cargo::error=what `{place}` holds cannot be listed: {error}");
            return ExitCode::FAILURE;
        }
    }
    if env::var_os("CARGO_FEATURE_CUDA").is_none() {
        return ExitCode::SUCCESS;
    }
    println!("cargo::rerun-if-changed={SOURCE}");
    ["CUDA_HOME", "NVCC"].iter().for_each(|name| println!("cargo::rerun-if-env-changed={name}"));
    let nvcc = compiler();
    let ptx = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("kernels.ptx");
    // PTX for the oldest GPU that is served; the driver translates it for the one that is there. Without contraction,
    // the arithmetic is that of the CPU.
    let status = Command::new(&nvcc)
        .args(["-ptx", "-arch=compute_80", "-O3", "-fmad=false", "--std=c++17", SOURCE, "-o"])
        .arg(ptx)
        .status();
    let problem = match status {
        Ok(status) if status.success() => return ExitCode::SUCCESS,
        Ok(status) => format!("{} ended with {status}", nvcc.display()),
        Err(error) => format!("{} cannot be started: {error}", nvcc.display()),
    };
    println!("cargo::error={problem}; `tools/cuda/build` fetches a CUDA compiler and builds with it");
    ExitCode::FAILURE
}

/// Writes a constant that names and embeds every file of the standard library, the prelude first.
fn list_modules() -> io::Result<()> {
    println!("cargo::rerun-if-changed={LIBRARY}");
    let mut names = Vec::new();
    for entry in fs::read_dir(LIBRARY)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "pd") {
            names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    names.sort_by_key(|name| (name != "prelude", name.clone()));
    let mut text = "/// Name without `std.` and text of every module, the prelude first.\n".to_owned();
    text += "pub const MODULES: &[(&str, &str)] = &[\n";
    for name in names {
        let file = format!("concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/{LIBRARY}/{name}.pd\")");
        text += &format!("    (\"{name}\", include_str!({file})),\n");
    }
    text += "];\n";
    write("modules.rs", &text)
}

/// Writes a list of every stage that has a line in the module of the stages.
fn list_stages() -> io::Result<()> {
    println!("cargo::rerun-if-changed={STAGES}");
    let lines = fs::read_to_string(STAGES)?;
    let mut text = "/// Every stage.\npub static ALL: &[&Op] = &[\n".to_owned();
    for name in lines.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')) {
        text += &format!("    &{name}::OP,\n");
    }
    write("stages.rs", &(text + "];\n"))
}

fn write(name: &str, text: &str) -> io::Result<()> {
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join(name), text)
}

/// The compiler that the environment names, else the one that `tools/cuda/toolkit` has fetched, else any.
fn compiler() -> PathBuf {
    let of_home = || env::var_os("CUDA_HOME").map(|home| PathBuf::from(home).join("bin/nvcc"));
    let fetched = || Some(PathBuf::from(FETCHED)).filter(|path| path.exists());
    env::var_os("NVCC").map(PathBuf::from).or_else(of_home).or_else(fetched).unwrap_or_else(|| "nvcc".into())
}
