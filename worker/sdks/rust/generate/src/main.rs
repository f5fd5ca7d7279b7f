//! Makes the messages of the protocol from `processor.proto`:
//!
//!     cargo run -p generate
//!
//! With `--check` it fails if they are not up to date.

use std::path::Path;
use std::{env, error, fs, process};

fn main() -> Result<(), Box<dyn error::Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let committed = here.join("../src/protocol.rs");
    let made = generate(&here.join("../../protocol"))?;
    if env::args().any(|argument| argument == "--check") {
        if fs::read_to_string(&committed)? != made {
            eprintln!("src/protocol.rs is not up to date: run cargo run -p generate");
            process::exit(1);
        }
        return Ok(());
    }
    fs::write(committed, made)?;
    Ok(())
}

/// Returns the code for the definition in a folder.
fn generate(folder: &Path) -> Result<String, Box<dyn error::Error>> {
    let descriptors = protox::compile(["processor.proto"], [folder])?;
    let out = env::temp_dir().join(format!("millrace-generate-{}", process::id()));
    fs::create_dir_all(&out)?;
    prost_build::Config::new()
        // Values share the memory of their frame.
        .bytes(["."])
        .out_dir(&out)
        .compile_fds(descriptors)?;
    let code = fs::read_to_string(out.join("millrace.processor.v1.rs"))?;
    fs::remove_dir_all(out)?;
    Ok(code)
}
