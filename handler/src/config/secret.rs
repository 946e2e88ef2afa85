//! Keys and tokens.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// A secret, which is never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl Secret {
    /// HMAC-SHA256 of `text` with it as the key, in hexadecimal digits.
    pub(crate) fn sign(&self, text: &str) -> String {
        match Hmac::<Sha256>::new_from_slice(self.0.as_bytes()) {
            Ok(mut mac) => {
                mac.update(text.as_bytes());
                hex::encode(mac.finalize().into_bytes())
            }
            // HMAC takes keys of any length.
            Err(_) => String::new(),
        }
    }

    /// Why no request can carry it; none when one can.
    pub(super) fn header_fault(&self, name: &str) -> Option<String> {
        let carried = self.0.bytes().all(|byte| byte.is_ascii_graphic());
        (!carried).then(|| {
            format!("{name} has characters that can't be sent: a space, a line break, or a letter beyond ASCII")
        })
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}
