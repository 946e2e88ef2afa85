//! The list of jobs by time: an empty object for each, named so that a listing begins with the newest.

use async_trait::async_trait;

use super::{Notice, Target};
use crate::deadline::Deadline;
use crate::job::State;
use crate::job::keys;
use crate::store::Store;

pub(super) struct Listing {
    store: Store,
}

impl Listing {
    pub(super) fn new(store: Store) -> Self {
        Self { store }
    }
}

#[async_trait]
impl Target for Listing {
    fn name(&self) -> &'static str {
        "the list of jobs"
    }

    fn accepts(&self, state: State) -> bool {
        state == State::Queued
    }

    async fn deliver(&self, notice: &Notice, deadline: Deadline) -> Result<(), String> {
        let id = &notice.status.job_id;
        // A job that came over HTTP was listed when it was accepted.
        let request = keys::of(id, keys::REQUEST);
        if self.store.exists(&request, deadline).await.map_err(|error| error.to_string())? {
            return Ok(());
        }
        let key = keys::by_time(id, notice.status.created_at);
        let put = self.store.put(&key, Vec::new(), "text/plain", deadline).await;
        put.map(drop).map_err(|error| error.to_string())
    }
}
