//! A key on the card with all that belongs to it, and what OpenSC and OpenSSL do with it.

use std::fs;

use libtest_mimic::Failed;

use super::program::Finished;
use super::reader::Slot;

/// A key of holder hanako with its certificates and its PIN, as OpenSC numbers them.
pub struct Credential {
    /// the number that the key, its certificate and its PIN share
    pub id: &'static str,
    /// the number of the certificate authority's certificate
    ca_id: &'static str,
    /// which of the PKCS #11 slots its token is in: each PIN makes one
    slot_index: &'static str,
    pub pin: &'static str,
    wrong_pin: &'static str,
    /// is the certificate itself behind the PIN?
    private_certificate: bool,
}

pub const AUTHENTICATION: Credential = Credential {
    id: "01",
    ca_id: "03",
    slot_index: "0",
    pin: "1234",
    wrong_pin: "4321",
    private_certificate: false,
};

pub const SIGNATURE: Credential = Credential {
    id: "02",
    ca_id: "04",
    slot_index: "1",
    pin: "ABC123",
    wrong_pin: "CBA321",
    private_certificate: true,
};

impl Credential {
    /// Reads the certificate from the card, with the PIN where it takes one, into a file; returns its name.
    pub fn read_certificate(&self, slot: &Slot) -> Result<String, Failed> {
        let file = format!("{}.pem", self.id);
        let mut arguments = vec!["--read-certificate", self.id, "--output", &file];
        if self.private_certificate {
            arguments.extend(["--verify-pin", "--auth-id", self.id, "--pin", self.pin]);
        }
        slot.run("pkcs15-tool", arguments)?.success()?;
        Ok(file)
    }

    /// Reads the certificate of the authority from the card into a file; returns its name.
    pub fn read_ca_certificate(&self, slot: &Slot) -> Result<String, Failed> {
        let file = format!("{}.pem", self.ca_id);
        slot.run("pkcs15-tool", ["--read-certificate", self.ca_id, "--output", &file])?.success()?;
        Ok(file)
    }

    /// Logs in to the token by PKCS #11.
    pub fn log_in(&self, slot: &Slot, pin: &str) -> Result<Finished, Failed> {
        let arguments = ["--slot-index", self.slot_index, "--login", "--pin", pin, "--list-objects"];
        slot.run("pkcs11-tool", arguments)
    }

    /// Logs in with a wrong PIN, which must be refused as such.
    pub fn log_in_wrongly(&self, slot: &Slot) -> Result<(), Failed> {
        let said = self.log_in(slot, self.wrong_pin)?.refusal()?;
        if said.contains("CKR_PIN_INCORRECT") { Ok(()) } else { Err(said.into()) }
    }

    /// Signs a file on the card by PKCS #11; returns the name of the signature's file.
    pub fn sign(&self, slot: &Slot, message: &str) -> Result<String, Failed> {
        let file = format!("{}.signature", self.id);
        let log_in = ["--slot-index", self.slot_index, "--login", "--pin", self.pin];
        let sign = ["--sign", "--mechanism", "SHA256-RSA-PKCS", "--id", self.id];
        let files = ["--input-file", message, "--output-file", &file];
        slot.run("pkcs11-tool", [log_in.as_slice(), &sign, &files].concat())?.success()?;
        Ok(file)
    }

    /// Signs a message on the card, and has OpenSSL verify it with the certificate's public key: that message and
    /// no other.
    pub fn sign_and_verify(&self, slot: &Slot) -> Result<(), Failed> {
        fs::write(slot.path("message"), "公的個人認証")?;
        fs::write(slot.path("other-message"), "公的個人認証。")?;
        let signature = self.sign(slot, "message")?;

        let certificate = self.read_certificate(slot)?;
        let extract = ["x509", "-in", &certificate, "-noout", "-pubkey", "-out", "public-key"];
        slot.run("openssl", extract)?.success()?;
        let verify = |message| {
            slot.run(
                "openssl",
                ["dgst", "-sha256", "-verify", "public-key", "-signature", &signature, message],
            )
        };
        verify("message")?.success()?;
        verify("other-message")?.refusal()?;
        Ok(())
    }
}

/// How many tries the card says it has left, for the authentication PIN and for the signature password.
pub fn tries_left(slot: &Slot) -> Result<[u8; 2], Failed> {
    let listing = slot.run("pkcs15-tool", ["--list-pins"])?.success()?;
    let tries = listing
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Tries left")?.split(": ").nth(1)?.parse().ok());
    tries
        .collect::<Vec<_>>()
        .try_into()
        .map_err(|_| format!("should list two PINs with their tries:\n{listing}").into())
}

/// Which tokens PKCS #11 calls locked, that of the authentication PIN and that of the signature password.
pub fn locked(slot: &Slot) -> Result<[bool; 2], Failed> {
    let listing = slot.run("pkcs11-tool", ["--list-token-slots"])?.success()?;
    let flags = listing.lines().filter(|line| line.trim().starts_with("token flags"));
    let locked: Vec<_> = flags.map(|flags| flags.contains("user PIN locked")).collect();
    locked.try_into().map_err(|_| format!("should list two tokens with their flags:\n{listing}").into())
}
