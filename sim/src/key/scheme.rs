//! The ways to sign that COMPUTE DIGITAL SIGNATURE offers.

/// P1 of COMPUTE DIGITAL SIGNATURE, as measured (myna-card 3.3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureScheme {
    /// `00`: the data as they stand, 1 to 245 bytes, padded as in PKCS #1 v1.5
    Verbatim,
    /// `01`: the SHA-256 of the data alone, padded as in PKCS #1 v1.5
    Sha256Bare,
    /// `02`: the data are a SHA-256; its DigestInfo, padded as in PKCS #1 v1.5
    PrehashedDigestInfo,
    /// `03`: the DigestInfo with the SHA-256 of the data, padded as in PKCS #1 v1.5
    Sha256DigestInfo,
    /// `04`: the data are a SHA-256, signed as RSASSA-PSS does
    PrehashedPss,
    /// `05`: the SHA-256 of the data, signed as RSASSA-PSS does
    Sha256Pss,
}

/// Most bytes that PKCS#1 v1.5 type 1 pads into 256.
const LONGEST_VERBATIM: usize = 245;
/// Bytes of a SHA-256.
const HASH: usize = 32;
/// Most bytes of a message that the card hashes.
const LONGEST_MESSAGE: usize = 255;

impl SignatureScheme {
    /// All of them, each at the index that is its P1.
    pub const ALL: [Self; 6] = [
        Self::Verbatim,
        Self::Sha256Bare,
        Self::PrehashedDigestInfo,
        Self::Sha256DigestInfo,
        Self::PrehashedPss,
        Self::Sha256Pss,
    ];

    /// The one that `p1` means.
    #[must_use]
    pub fn from_p1(p1: u8) -> Option<Self> {
        Self::ALL.get(usize::from(p1)).copied()
    }

    /// Whether it takes data of `length` bytes, at least one.
    #[must_use]
    pub const fn takes(self, length: usize) -> bool {
        match self {
            Self::Verbatim => length <= LONGEST_VERBATIM,
            Self::PrehashedDigestInfo | Self::PrehashedPss => length == HASH,
            Self::Sha256Bare | Self::Sha256DigestInfo | Self::Sha256Pss => length <= LONGEST_MESSAGE,
        }
    }

    /// What it does, in a few words.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Verbatim => "data as they stand",
            Self::Sha256Bare => "bare SHA-256 of the data",
            Self::PrehashedDigestInfo => "SHA-256 given, in a DigestInfo",
            Self::Sha256DigestInfo => "SHA-256 of the data, in a DigestInfo",
            Self::PrehashedPss => "SHA-256 given, PSS",
            Self::Sha256Pss => "SHA-256 of the data, PSS",
        }
    }
}
