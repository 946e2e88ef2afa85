//! `POST /check` of `chalkreel serve`: what `chalkreel check --json` says of a document, over HTTP.

use std::sync::Arc;
use std::time::Duration;

use ::http::HeaderMap;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::routing::post;
use axum::{Json, Router};
use storyboard::Document;
use tokio::sync::Semaphore;

use super::{Checked, look};
use crate::deadline::Deadline;
use crate::error::Code;
use crate::http::{self, Failure, MAX_BODY};
use crate::intake::assets::AssetBase;
use crate::preview::Pictures;
use crate::services::Services;

/// Documents that are checked at a time: all of the processors work for each.
const AT_ONCE: usize = 1;
/// Documents that may wait, each with its megabytes.
const WAITING: usize = 8;
/// Time for one check, waiting included.
const LONGEST: Duration = Duration::from_secs(120);

/// What the route shares.
#[derive(Debug, Clone)]
struct Door {
    services: Arc<Services>,
    inside: Arc<Semaphore>,
    checking: Arc<Semaphore>,
}

/// The route.
pub(in super::super) fn routes(services: Arc<Services>) -> Router {
    let (inside, checking) = (Arc::new(Semaphore::new(AT_ONCE + WAITING)), Arc::new(Semaphore::new(AT_ONCE)));
    Router::new().route("/check", post(check)).layer(DefaultBodyLimit::max(MAX_BODY)).with_state(Door {
        services,
        inside,
        checking,
    })
}

async fn check(
    State(door): State<Door>,
    options: Result<Query<http::Options>, QueryRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<[Checked; 1]>, Failure> {
    let busy = || Failure::new(Code::HttpBusy, "other documents are being checked");
    let _inside = door.inside.try_acquire().map_err(|_| busy())?;
    let (name, bytes) = http::document(options, &headers, body)?;
    let services = &door.services;
    let deadline = Deadline::after(LONGEST.min(services.config.job_timeout));
    let late = || Failure::new(Code::JobDeadline, "checking the document took too long");
    let checking = async {
        // It is never closed.
        let _turn = door.checking.acquire().await.map_err(|_| busy())?;
        let document = Document { name, bytes: bytes.to_vec() };
        // It came over a network: it names no file of this machine.
        let checked = look(document, &AssetBase::Nothing, Pictures::None, services, deadline).await;
        checked.map_err(|error| if deadline.passed() { late() } else { Failure::from(error) })
    };
    tokio::select! {
        checked = deadline.run(checking) => Ok(Json([checked.map_err(|_| late())??])),
        () = services.interrupted() => Err(Failure::new(Code::JobInterrupted, "the server is stopping")),
    }
}
