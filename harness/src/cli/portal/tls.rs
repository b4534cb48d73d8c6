//! TLS with a certificate that is made for this run and trusted by nobody until somebody says so.

use super::Failure;
use axum_server::tls_rustls::RustlsConfig;
use sha2::Digest;
use std::io::Write;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use vmyna_sim::hex::Spaced;

/// A server's configuration for `localhost` and `address`; the certificate goes to `file`, where one
/// is named, and its digest to standard error.
pub(super) fn configuration(address: IpAddr, file: Option<&Path>) -> Result<RustlsConfig, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::Usage(format!("--tls: {error}"));
    let names = vec!["localhost".to_owned(), address.to_string()];
    let made = rcgen::generate_simple_self_signed(names).map_err(|error| failed(&error))?;
    if let Some(file) = file {
        std::fs::write(file, made.cert.pem())
            .map_err(|error| failed(&format!("{}: {error}", file.display())))?;
    }
    let digest = sha2::Sha256::digest(made.cert.der());
    let _ = writeln!(anstream::stderr(), "TLS       certificate of this run, SHA-256 {}", Spaced(&digest));
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der())
        .map_err(|error| failed(&error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .map_err(|error| failed(&error))?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(RustlsConfig::from_config(Arc::new(server)))
}
