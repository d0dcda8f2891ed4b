//! The certificate that the node shows callers on other machines, and its key.
//!
//! Without one given, the node makes its own, for the names it is told: P-256, signed by itself, in `DATA/tls`. It is
//! made anew when the names are others or its time is nearly over. Callers are given the file and trust no other.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail, ensure};
use ledger_core::Digest;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use time::OffsetDateTime;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::version::TLS13;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use crate::keystore::{create_private_dir, write_private};

/// Folder below the data folder.
const FOLDER: &str = "tls";
/// Name of the certificate's file in it.
const CERTIFICATE: &str = "certificate.pem";
const KEY: &str = "key.pem";
/// For how long an own certificate is made, and how long before its end another is.
const LASTS: Duration = Duration::from_secs(398 * 86_400);
const RENEWED: Duration = Duration::from_secs(30 * 86_400);
/// Longest file that is read.
const MAX_BYTES: u64 = 1 << 20;

/// A certificate and its key.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    names: Vec<String>,
    ends: SystemTime,
}

/// Says nothing of the key.
impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({:?})", self.names)
    }
}

impl Identity {
    /// The certificate and key in these files.
    ///
    /// # Errors
    /// If one of them cannot be read or is of another form, the certificate names nobody, or its time is over.
    pub fn given(certificate: &Path, key: &Path) -> anyhow::Result<Self> {
        let identity = Self::read(certificate, key)?;
        ensure!(
            identity.ends > SystemTime::now(),
            "the time of the certificate in {} is over; get another one",
            certificate.display()
        );
        identity.config()?;
        Ok(identity)
    }

    /// The node's own certificate for these names, each a host's or an address; made if there is none, if it is for
    /// others, or if its time is nearly over.
    ///
    /// # Errors
    /// If there is no name, a name cannot be one, or a file cannot be read or written.
    pub fn own(data_dir: &Path, names: &[String]) -> anyhow::Result<Self> {
        ensure!(
            !names.is_empty(),
            "say by --tls-name under which names or addresses others reach this node"
        );
        if let Some(wrong) = names.iter().find(|name| !is_name(name)) {
            bail!("{wrong:?} is no host's name and no address");
        }
        let folder = data_dir.join(FOLDER);
        let (certificate, key) = (folder.join(CERTIFICATE), folder.join(KEY));
        if certificate.exists() && key.exists() {
            let known = Self::read(&certificate, &key)?;
            if known.names == names && known.ends > SystemTime::now() + RENEWED {
                return Ok(known);
            }
        }
        create_private_dir(&folder)?;
        make(&certificate, &key, names)?;
        Self::read(&certificate, &key)
    }

    fn read(certificate: &Path, key: &Path) -> anyhow::Result<Self> {
        let pem = read_at_most(certificate)?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        let chain = chain
            .with_context(|| format!("{} holds no certificate in PEM", certificate.display()))?;
        let first = chain
            .first()
            .with_context(|| format!("{} holds no certificate", certificate.display()))?;
        let (names, ends) = names_and_end(first)
            .with_context(|| format!("the certificate in {}", certificate.display()))?;
        let key_of = PrivateKeyDer::from_pem_slice(&read_at_most(key)?);
        Ok(Self {
            key: key_of
                .map_err(|_| anyhow::anyhow!("{} holds no private key in PEM", key.display()))?,
            names,
            ends,
            chain,
        })
    }

    /// The hosts and addresses that it is for.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// SHA-256 of the certificate, as browsers show it: for whoever compares.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        Digest::of(self.chain.first().map_or(&[][..], |first| first.as_ref()))
    }

    /// TLS with it.
    ///
    /// # Errors
    /// If key and certificate do not belong together.
    pub(super) fn config(&self) -> anyhow::Result<ServerConfig> {
        let builder = ServerConfig::builder_with_provider(ring::default_provider().into());
        let builder = builder.with_protocol_versions(&[&TLS13])?;
        let mut config = builder
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), self.key.clone_key())
            .context("the certificate and its key cannot be used together")?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// Whether this is an address, or letters, digits, dots and hyphens as a host's name has (RFC 1123, section 2.1).
fn is_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let is_host = (1..=253).contains(&name.len()) && name.bytes().all(is_part);
    is_host || name.parse::<IpAddr>().is_ok()
}

fn make(certificate: &Path, key: &Path, names: &[String]) -> anyhow::Result<()> {
    let mut params = CertificateParams::new(names)
        .with_context(|| format!("{} cannot be names of a node", names.join(", ")))?;
    let now = OffsetDateTime::now_utc();
    // Clocks differ.
    params.not_before = now - Duration::from_secs(86_400);
    params.not_after = now + LASTS;
    params.distinguished_name = DistinguishedName::new();
    let name = names.first().map_or("fogward", String::as_str);
    params.distinguished_name.push(DnType::CommonName, name);
    let pair = KeyPair::generate()?;
    let made = params.self_signed(&pair)?;
    let pem = zeroize::Zeroizing::new(pair.serialize_pem());
    write_private(key, &pem).with_context(|| format!("cannot write {}", key.display()))?;
    write_private(certificate, &made.pem())
        .with_context(|| format!("cannot write {}", certificate.display()))
}

/// Whom a certificate is for, and until when.
fn names_and_end(der: &CertificateDer<'_>) -> anyhow::Result<(Vec<String>, SystemTime)> {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else {
        bail!("is of an unknown form");
    };
    let alternative = certificate.subject_alternative_name().ok().flatten();
    let names = alternative
        .into_iter()
        .flat_map(|names| &names.value.general_names);
    let names: Vec<_> = names.filter_map(name_of).collect();
    ensure!(!names.is_empty(), "names no host and no address");
    let ends = u64::try_from(certificate.validity().not_after.timestamp()).unwrap_or(0);
    Ok((names, UNIX_EPOCH + Duration::from_secs(ends)))
}

fn name_of(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let four = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let six = <[u8; 16]>::try_from(*bytes).map(IpAddr::from);
            four.or(six).ok().map(|address| address.to_string())
        }
        _ => None,
    }
}

fn read_at_most(path: &Path) -> anyhow::Result<zeroize::Zeroizing<Vec<u8>>> {
    let length = fs::metadata(path).map(|file| file.len());
    let length = length.with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(
        length <= MAX_BYTES,
        "{} is no PEM file: it is too long",
        path.display()
    );
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(zeroize::Zeroizing::new(bytes))
}

#[cfg(test)]
mod tests {
    //! Goal: a certificate stays while its names do, and files that hold none say so. Method: a folder on disk.

    use super::*;

    #[test]
    fn a_certificate_stays_while_its_names_do() {
        let folder = tempfile::tempdir().unwrap();
        let own = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            Identity::own(folder.path(), &names)
        };
        assert!(own(&[]).is_err());
        assert!(own(&["no name\n"]).is_err());
        let names = ["ward.example", "127.0.0.9", "::1"];
        let made = own(&names).unwrap();
        assert_eq!(made.names(), names);
        assert!(made.config().is_ok());
        assert_eq!(own(&names).unwrap().fingerprint(), made.fingerprint());
        let other = own(&names[..1]).unwrap();
        assert_ne!(other.fingerprint(), made.fingerprint());
        assert_eq!(format!("{other:?}"), "Identity([\"ward.example\"])");

        let (certificate, key) = (
            folder.path().join("tls/certificate.pem"),
            folder.path().join("tls/key.pem"),
        );
        let given = Identity::given(&certificate, &key).unwrap();
        assert_eq!(given.fingerprint(), other.fingerprint());
        for (one, two) in [(&key, &key), (&certificate, &certificate)] {
            assert!(Identity::given(one, two).is_err());
        }
        let strange = folder.path().join("strange");
        for content in [
            "",
            "no PEM",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            fs::write(&strange, content).unwrap();
            assert!(Identity::given(&strange, &key).is_err(), "{content}");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = key.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
