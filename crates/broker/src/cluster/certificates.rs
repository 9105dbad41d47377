//! The certificates of the cluster port, as they stand in files.

use std::io;
use std::path::Path;
use std::sync::Arc;

use config::ClusterTls;
use disk::{Disk, Open};
use peer::{Address, BoxFuture, Credentials, Dialer, PemFile, ReadCredentials, TlsDialer, TlsError};

use crate::env::Env;

/// Longer files are none of certificates: all authorities of the web together take a quarter of it.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// The way to other brokers: with TLS if there are certificates for it.
pub(super) async fn dialer(tls: Option<&ClusterTls>, env: &Env, own: &Address) -> Result<Arc<dyn Dialer>, TlsError> {
    let Some(tls) = tls else { return Ok(env.dialer.clone()) };
    let files = Arc::new(Files { tls: tls.clone(), env: env.clone() });
    let dialer = TlsDialer::new(env.dialer.clone(), files, env.clock.clone(), own, tls.checks_names).await?;
    Ok(Arc::new(dialer))
}

struct Files {
    tls: ClusterTls,
    env: Env,
}

impl ReadCredentials for Files {
    fn read(&self) -> BoxFuture<Result<Credentials, TlsError>> {
        let (tls, env) = (self.tls.clone(), self.env.clone());
        Box::pin(async move {
            let disk = env.disk.clone();
            let read = move || {
                let read = |path| read(&*disk, path);
                Ok(Credentials { chain: read(&tls.chain)?, key: read(&tls.key)?, trusted: read(&tls.trusted)? })
            };
            env.blocking(read).await
        })
    }
}

fn read(disk: &dyn Disk, path: &Path) -> Result<PemFile, TlsError> {
    let name = path.display().to_string();
    match read_bytes(disk, path) {
        Ok(text) => Ok(PemFile { name, text }),
        Err(why) => Err(TlsError::Unreadable { file: name, why }),
    }
}

fn read_bytes(disk: &dyn Disk, path: &Path) -> io::Result<Vec<u8>> {
    let file = disk.open(path, Open::Read)?;
    let length = file.len()?;
    if length > MAX_FILE_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is far too long for certificates"));
    }
    let mut text = vec![0; usize::try_from(length).unwrap_or(0)];
    file.read_exact_at(&mut text, 0)?;
    Ok(text)
}
