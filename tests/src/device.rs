//! A device that holds a passkey and answers as a browser would; and, told to, as an attacker would. CTAP's authenticator data
//! and CBOR are written out here, so that the product's reading of them is checked against something else.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const HAS_KEY: u8 = 0x40;

/// One passkey, and the device that it is on.
pub struct Device {
    key: SigningKey,
    credential_id: Vec<u8>,
    user_handle: String,
    rp_id: String,
    /// What the last answer said.
    pub counter: u32,
    /// The page that asks, as the browser names it.
    pub origin: String,
    /// Whether its holder gave a finger, a face or a PIN.
    pub is_verified: bool,
}

impl Device {
    /// Answers `navigator.credentials.create`; `seed` makes another key.
    #[must_use]
    pub fn create(seed: u8, options: &Value, origin: &str) -> (Self, String) {
        let text =
            |pointer: &str| options.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let device = Self {
            key: SigningKey::from_bytes(&[seed; 32]),
            credential_id: vec![seed; 32],
            user_handle: text("/user/id"),
            rp_id: text("/rp/id"),
            counter: 1,
            origin: origin.to_owned(),
            is_verified: true,
        };
        let answer = device.attestation(&text("/challenge"));
        (device, answer)
    }

    fn attestation(&self, challenge: &str) -> String {
        let client_data = self.client_data("webauthn.create", challenge);
        let mut data = self.authenticator_data(HAS_KEY);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.credential_id.len()).expect("short").to_be_bytes());
        data.extend(&self.credential_id);
        // {1: 1 (OKP), 3: -8 (EdDSA), -1: 6 (Ed25519), -2: the key}
        data.extend([0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 0x20]);
        data.extend(self.key.verifying_key().as_bytes());
        // {"fmt": "none", "attStmt": {}, "authData": …}
        let mut attestation = vec![0xa3, 0x63];
        attestation.extend(b"fmt");
        attestation.push(0x64);
        attestation.extend(b"none");
        attestation.push(0x67);
        attestation.extend(b"attStmt");
        attestation.extend([0xa0, 0x68]);
        attestation.extend(b"authData");
        attestation.extend([0x58, u8::try_from(data.len()).expect("short")]);
        attestation.extend(data);
        self.credential(&json!({
            "clientDataJSON": BASE64.encode(client_data),
            "attestationObject": BASE64.encode(attestation),
            "transports": ["internal"],
        }))
    }

    /// Answers `navigator.credentials.get`, and counts.
    pub fn get(&mut self, options: &Value) -> String {
        let challenge = options.pointer("/challenge").and_then(Value::as_str).unwrap_or_default();
        self.counter += 1;
        let client_data = self.client_data("webauthn.get", challenge);
        let data = self.authenticator_data(0);
        let signed = [data.as_slice(), &Sha256::digest(client_data.as_bytes())].concat();
        self.credential(&json!({
            "clientDataJSON": BASE64.encode(client_data),
            "authenticatorData": BASE64.encode(data),
            "signature": BASE64.encode(self.key.sign(&signed).to_bytes()),
            "userHandle": self.user_handle,
        }))
    }

    fn client_data(&self, kind: &str, challenge: &str) -> String {
        json!({ "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false })
            .to_string()
    }

    fn authenticator_data(&self, flags: u8) -> Vec<u8> {
        let verified = if self.is_verified { VERIFIED } else { 0 };
        let mut data = Sha256::digest(self.rp_id.as_bytes()).to_vec();
        data.push(PRESENT | verified | flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    fn credential(&self, response: &Value) -> String {
        let id = BASE64.encode(&self.credential_id);
        json!({
            "id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform",
            "response": response, "clientExtensionResults": {},
        })
        .to_string()
    }
}
