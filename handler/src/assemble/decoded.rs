//! Recordings of the author's own voice, decoded.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::Assembler;
use super::extras::input;
use crate::deadline::Deadline;
use crate::narrate::SAMPLE_RATE;

/// Longest recording in seconds: ten minutes are 115 MB of samples in memory.
const LONGEST: u64 = 600;

impl Assembler {
    /// The sound of an untrusted file, one channel at 48 kHz, from its first moment on, in a file called `out` in `folder`.
    ///
    /// # Errors
    /// In words, why it can't be used.
    pub async fn decoded(
        &self,
        source: &Path,
        out: &str,
        folder: &Path,
        deadline: Deadline,
    ) -> Result<PathBuf, String> {
        // One second more shows that it is too long.
        let mut arguments = input(source, LONGEST + 1);
        let rate = SAMPLE_RATE.to_string();
        arguments
            .extend(["-map", "0:a:0", "-vn", "-sn", "-dn", "-af", "aresample=async=1:first_pts=0"].map(OsString::from));
        arguments.extend(["-ac", "1", "-ar", &rate, "-f", "s16le", out].map(OsString::from));
        self.ffmpeg().once(&arguments, folder, deadline).await.map_err(|error| error.message)?;
        let path = folder.join(out);
        let bytes = tokio::fs::metadata(&path).await.map_err(|error| error.to_string())?.len();
        let seconds = bytes / 2 / u64::from(SAMPLE_RATE);
        if seconds > LONGEST {
            let _ = tokio::fs::remove_file(&path).await;
            return Err(format!("it lasts longer than {} minutes", LONGEST / 60));
        }
        Ok(path)
    }
}
