//! An S3 server in this process, on loopback, for local runs: files under a folder, the same protocol as AWS.
//!
//! Several servers, also of several processes, may use one folder at once. What is written survives them.

mod backend;
mod folder;
mod keys;
mod listing;
mod multipart;
mod receive;
mod sealed;
mod send;
mod sight;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Request, Response, header};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::net::TcpListener;

use self::backend::Backend;
use self::folder::Folder;
use self::sight::{Door, Unseen};
use super::Endpoint;
use crate::connections::{Received, Rules, Server};
use crate::deadline::Deadline;

pub use self::sight::Sight;

/// Time for a request's head, and between requests of one connection.
const HEAD: Duration = Duration::from_secs(60);

/// A running server. Dropping it ends it at once; [`Embedded::shutdown`] lets open requests finish.
#[derive(Debug)]
pub struct Embedded {
    address: SocketAddr,
    credentials: (String, String),
    folder: Folder,
    server: Server,
}

impl Embedded {
    /// Serves the objects under `dir`, which is made when it is not there. The port is any that is free; the
    /// credentials are random and of this run alone.
    ///
    /// # Errors
    /// When the folder can't be used or no port can be had.
    pub async fn start(dir: &Path) -> std::io::Result<Self> {
        Self::start_seen(dir, Arc::new(Unseen)).await
    }

    /// The same, while somebody looks on. Only what goes through this server is seen.
    ///
    /// # Errors
    /// As [`Embedded::start`].
    pub async fn start_seen(dir: &Path, sight: Arc<dyn Sight>) -> std::io::Result<Self> {
        let root = dir.to_owned();
        let folder = tokio::task::spawn_blocking(move || Folder::open(&root)).await??;
        let credentials = (format!("local{}", secret(8)?), secret(24)?);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let mut service = S3ServiceBuilder::new(Backend::new(folder.clone(), sight.clone()));
        service.set_auth(SimpleAuth::from_single(credentials.0.clone(), credentials.1.clone()));
        service.set_access(Door(sight));
        let service = service.build();
        let server = Server::start(listener, rules(), move |request: Request<Received>| {
            let service = service.clone();
            async move { service.call(request.map(s3s::Body::http_body_unsync)).await.map(guarded) }
        });
        Ok(Self { address, credentials, folder, server })
    }

    /// How a client reaches it.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint {
            url: Some(format!("http://{}", self.address)),
            region: Some("us-east-1".to_owned()),
            credentials: Some(self.credentials.clone()),
            path_style: true,
        }
    }

    /// Makes a bucket, unless it is there.
    ///
    /// # Errors
    /// When the name is not one that S3 allows, or the folder can't be written.
    pub fn create_bucket(&self, name: &str) -> std::io::Result<()> {
        if !s3s::path::check_bucket_name(name) {
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, format!("{name:?} is no bucket name")));
        }
        self.folder.create_bucket(name).map(drop)
    }

    /// Takes no more requests, lets open ones finish until the deadline, ends the rest, and returns when all sockets
    /// are closed.
    pub async fn shutdown(self, deadline: Deadline) {
        self.server.shutdown(deadline).await;
    }
}

/// Our own clients keep connections between calls; one that is closed meanwhile costs them another.
fn rules() -> Rules {
    Rules { head: HEAD, ..Rules::usual() }
}

/// What somebody stored is never a page of this server's, whatever type they gave it.
fn guarded(mut response: Response<s3s::Body>) -> Response<s3s::Body> {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    response
}

/// Random hexadecimal digits, two a byte.
fn secret(bytes: usize) -> std::io::Result<String> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random)?;
    Ok(hex::encode(random))
}
