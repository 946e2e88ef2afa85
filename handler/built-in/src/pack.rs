//! How the build script packs what it compiled, when a small program is wanted.

use std::io::{self, Write};

use zstd::stream::write::Encoder;

/// Base-two logarithm of the bytes that are looked back at. With an eighth of them, the result is 5 % larger and is unpacked as fast; with
/// twice as many it is hardly smaller, and takes twice as long.
const WINDOW: u32 = 23;

/// Packs `code` in Zstandard's format, at its `level` of effort.
///
/// # Errors
/// When `into` can't be written.
pub(crate) fn pack(code: &[u8], level: i32, into: impl Write) -> io::Result<()> {
    let mut packed = Encoder::new(into, level)?;
    packed.window_log(WINDOW)?;
    packed.write_all(code)?;
    packed.finish()?;
    Ok(())
}
