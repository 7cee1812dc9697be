//! Secrets of our own making: random, kept only as digests, compared in constant time.

use rand::TryRngCore as _;
use rand::rngs::OsRng;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// 256 bits cannot be guessed.
const BYTES: usize = 32;

/// SHA-256 of a secret. Equality takes the same time whatever differs.
#[derive(Debug, Clone, Copy, Eq)]
pub struct Digest([u8; BYTES]);

impl Digest {
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// A new secret from the system, in hex.
pub fn secret() -> String {
    let mut bytes = [0; BYTES];
    OsRng.try_fill_bytes(&mut bytes).expect("without the system's randomness nothing here is safe");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_digests_tell_them_apart() {
        let (one, other) = (secret(), secret());

        assert_eq!(one.len(), 2 * BYTES);
        assert_eq!(Digest::of(&one), Digest::of(&one));
        assert_ne!(Digest::of(&one), Digest::of(&other));
    }
}
