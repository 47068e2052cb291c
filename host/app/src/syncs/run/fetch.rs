//! Fetching a slice: page after page, each stored with the token of the next in one transaction.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use portolan_connector::{
    ConnectionContext, Continuation, Fault, FetchRequest, Page, Payload, StagedFile, WaitFor,
};
use portolan_core::id::uuids_in_order;
use portolan_core::{ConnectionId, Duration};
use portolan_db::DbError;
use portolan_db::entity::chunk::{self, ChunkState};
use portolan_db::entity::slice::{self, SliceState};
use portolan_db::entity::{sync, upload};
use portolan_jobs::JobError;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, QueryFilter};
use uuid::Uuid;

use super::names::keys_closed;
use super::normalise::BeingPosted;
use super::plan_step::spec_of;
use super::wait::waiting;
use super::{RunError, Stop, SyncRun};
use crate::channels::context::{UPLOAD_STAGED, UPLOAD_WAITING};
use crate::ingest::people::note_people;
use crate::ingest::stage::{CutPage, NewChunk, StageError, cut_page};

/// How long a page may take, whatever the plugin says; the runtime has its own limits below it.
const PAGE_DEADLINE: Duration = Duration::from_minutes(5);

/// The code under which a slice remembers that its cursor has expired once.
const CURSOR_EXPIRED: &str = "cursor_expired";

/// What a page leaves for the next one.
struct NextPage {
    token: Option<Bytes>,
    wait: Option<WaitFor>,
}

/// How a slice stands after a page.
enum AfterPage {
    /// It has a next page, or is at its end.
    GoesOn,
    /// The channel prepares the next page; others have their turn meanwhile.
    Waits,
    /// Others have taken its place.
    Split,
}

impl SyncRun {
    /// Fetches, normalises and checks one slice. One that fails says so in its row; the others go on.
    pub(super) async fn run_slice(&self, slice: slice::Model) -> Result<(), Stop> {
        let outcome = match slice.file {
            Some(number) => self.read_file(number, slice.clone()).await,
            None => self.fetch_slice(slice.clone()).await,
        };
        match outcome {
            Err(Stop::Failed(RunError::Slice { code, detail })) => {
                Ok(self.fail_slice(&slice, &code, &detail).await?)
            }
            outcome => outcome,
        }
    }

    /// What was read is posted before anybody is told how the slice stands, whatever ended the fetching.
    pub(super) async fn fetch_slice(&self, slice: slice::Model) -> Result<(), Stop> {
        let mut posting = BeingPosted::default();
        let fetched = self.fetch_pages(slice, &mut posting).await;
        self.end_posting(&mut posting).await?;
        match fetched? {
            Some(slice) => self.finish_slice(&slice).await,
            None => Ok(()),
        }
    }

    /// Gives the slice where it is at its end.
    async fn fetch_pages(
        &self,
        mut slice: slice::Model,
        posting: &mut BeingPosted,
    ) -> Result<Option<slice::Model>, Stop> {
        self.normalise_staged(&slice, posting).await?;
        // A slice whose last page is stored has pages but no token.
        while slice.pages == 0 || slice.token.is_some() {
            self.check_requests().await?;
            let page = match self.fetch_page(&slice).await {
                Err(Fault::CursorExpired { detail }) => {
                    self.end_posting(posting).await?;
                    slice = self.restart_slice(slice, detail).await?;
                    continue;
                }
                other => other.map_err(fault)?,
            };
            let after = match page.next {
                Continuation::Split(_) => {
                    self.end_posting(posting).await?;
                    self.split_slice(&slice, page).await.map(|()| AfterPage::Split)?
                }
                _ => self.store_page(&mut slice, page).await?,
            };
            self.normalise_staged(&slice, posting).await?;
            if let AfterPage::Waits | AfterPage::Split = after {
                return Ok(None);
            }
        }
        Ok(Some(slice))
    }

    async fn fetch_page(&self, slice: &slice::Model) -> Result<Page, Fault> {
        let now = self.app.clock.now();
        let request = FetchRequest {
            connection: ConnectionContext { files: self.files_of(slice), ..self.context.clone() },
            slice: spec_of(slice),
            token: slice.token.clone().map(Bytes::from),
            now,
            deadline: now + PAGE_DEADLINE,
        };
        self.app.runtime.fetch(&self.plugin.plugin, request).await
    }

    /// An expired cursor restarts its slice, once.
    async fn restart_slice(&self, slice: slice::Model, detail: String) -> Result<slice::Model, Stop> {
        if slice.error_code.as_deref() == Some(CURSOR_EXPIRED) {
            let detail = format!("The channel dropped the page token twice: {detail}. Sync again later.");
            return Err(RunError::Slice { code: CURSOR_EXPIRED.to_owned(), detail }.into());
        }
        let restarted =
            slice::Model { token: None, pages: 0, error_code: Some(CURSOR_EXPIRED.to_owned()), ..slice };
        let restarted_id = restarted.id;
        let row = slice::ActiveModel {
            tenant_id: Set(restarted.tenant_id),
            id: Set(restarted.id),
            token: Set(None),
            pages: Set(0),
            seen: Set(0),
            emitted: Set(0),
            skipped: Set(0),
            error_code: Set(restarted.error_code.clone()),
            ..Default::default()
        };
        let sync = self.sync.0;
        self.write(move |tx| {
            Box::pin(async move {
                let counted = tx.find_by_id::<slice::Entity>(restarted_id).await?;
                tx.update(row).await?;
                // The same records come again: they are counted once.
                let Some(counted) = counted else { return Ok(()) };
                let less = |column: sync::Column, count: i64| Expr::col(column).sub(count);
                tx.update_many::<sync::Entity>()
                    .col_expr(sync::Column::Seen, less(sync::Column::Seen, counted.seen))
                    .col_expr(sync::Column::Emitted, less(sync::Column::Emitted, counted.emitted))
                    .col_expr(sync::Column::Skipped, less(sync::Column::Skipped, counted.skipped))
                    .filter(sync::Column::Id.eq(sync))
                    .exec(tx)
                    .await
                    .map_err(DbError::from)?;
                Ok(())
            })
        })
        .await?;
        Ok(slice::Model { seen: 0, emitted: 0, skipped: 0, ..restarted })
    }

    /// Stores the page's chunks and the next token together.
    async fn store_page(&self, slice: &mut slice::Model, page: Page) -> Result<AfterPage, Stop> {
        let next = self.next_page(slice, &page)?;
        let taken = files_taken(slice, &page, &next)?;
        let (expected, bytes_fetched) = (page.expected, page.bytes_fetched);
        let downloads: Vec<StagedFile> = page.downloads.clone();
        let CutPage { chunks, people } = match self.cut(slice, page).await {
            Ok(cut) => cut,
            Err(error) => {
                self.remove_staged_files(&BTreeSet::new(), &downloads).await;
                return Err(error.into());
            }
        };
        let now = self.app.clock.now();
        // A file's rows are as old as the file, however late it is read: one that came later stands above it.
        let file = slice.file.and_then(|_| self.files_of(slice).into_iter().next());
        let received_at = file.map_or(now, |file| file.received_at);
        // In the order of the page: chunks are posted by their ids.
        let mut id = uuids_in_order(&*self.app.clock, &*self.app.random);
        let chunk_rows: Vec<chunk::ActiveModel> =
            chunks.into_iter().map(|chunk| self.chunk_row(slice, id(), chunk, received_at.0)).collect();
        slice.pages += 1;
        slice.token = next.token.as_ref().map(|token| token.to_vec());
        slice.expected = expected.map(|expected| expected as i64).or(slice.expected);
        slice.state = SliceState::Running;
        let (waiting_until, waiting_why) = next.wait.map(|wait| waiting(wait, now)).unzip();
        let slice_row = slice::ActiveModel {
            tenant_id: Set(slice.tenant_id),
            id: Set(slice.id),
            state: Set(slice.state),
            pages: Set(slice.pages),
            token: Set(slice.token.clone()),
            expected: Set(slice.expected),
            waiting_until: Set(waiting_until),
            waiting_why: Set(waiting_why),
            updated_at: Set(now.0),
            ..Default::default()
        };
        let (sync, connection, files) = (self.sync.0, self.connection.id, taken.clone());
        let app = Arc::clone(&self.app);
        // A channel that has us wait has brought nothing: only its chunks, once they are read, are progress.
        let got_on = waiting_until.is_none();
        self.write_and(got_on, move |tx| {
            Box::pin(async move {
                tx.insert_many(chunk_rows).await?;
                note_people(&app, tx, ConnectionId(connection), &people, now).await.map_err(keys_closed)?;
                tx.update(slice_row).await?;
                tx.update_many::<sync::Entity>()
                    .col_expr(
                        sync::Column::BytesFetched,
                        Expr::col(sync::Column::BytesFetched).add(bytes_fetched as i64),
                    )
                    .col_expr(sync::Column::UpdatedAt, Expr::value(now.0))
                    .filter(sync::Column::Id.eq(sync))
                    .exec(tx)
                    .await
                    .map_err(DbError::from)?;
                tx.update_many::<upload::Entity>()
                    .col_expr(upload::Column::State, Expr::value(UPLOAD_STAGED))
                    .filter(upload::Column::ConnectionId.eq(connection))
                    .filter(upload::Column::State.eq(UPLOAD_WAITING))
                    .filter(upload::Column::Number.is_in(files.iter().map(|id| *id as i64)))
                    .exec(tx)
                    .await
                    .map_err(DbError::from)?;
                Ok(())
            })
        })
        .await?;
        self.remove_staged_files(&taken, &downloads).await;
        self.announce();
        Ok(if got_on { AfterPage::GoesOn } else { AfterPage::Waits })
    }

    fn next_page(&self, slice: &slice::Model, page: &Page) -> Result<NextPage, RunError> {
        let mut next = NextPage { token: None, wait: None };
        match &page.next {
            Continuation::Done | Continuation::Split(_) => {}
            Continuation::More(token) => {
                if slice.token.as_deref() == Some(token.as_ref()) {
                    return Err(RunError::Slice {
                        code: "repeated_token".to_owned(),
                        detail: "The channel answered the same page token twice, so paging would never end. \
                                 Sync again later; if it stays, report it to the plugin's publisher."
                            .to_owned(),
                    });
                }
                next.token = Some(token.clone());
            }
            Continuation::Wait(wait) => {
                next.token = Some(wait.token.clone());
                next.wait = Some(wait.clone());
            }
        }
        let read = slice.file.is_some_and(|number| staged_ids(page).contains(&number.unsigned_abs()));
        if read {
            // A file whose body is handed over has been read.
            (next.token, next.wait) = (None, None);
        }
        let page_cap = i64::from(self.plugin.manifest.limits.pages_per_slice);
        if next.token.is_some() && slice.pages + 1 >= page_cap {
            return Err(RunError::Slice {
                code: "too_many_pages".to_owned(),
                detail: format!(
                    "The slice has more than {page_cap} pages, which looks like a loop. Sync a shorter range."
                ),
            });
        }
        Ok(next)
    }

    async fn cut(&self, slice: &slice::Model, page: Page) -> Result<CutPage, RunError> {
        let (files, limits) = (self.files_of(slice), self.plugin.manifest.limits.clone());
        let pseudonyms = self.pseudonyms().await?;
        let cut = tokio::task::spawn_blocking(move || cut_page(page, &files, &limits, pseudonyms.as_ref()));
        let cut = cut.await;
        let cut = cut.map_err(|error| RunError::Job(JobError::retry(error)))?;
        cut.map_err(|error| match error {
            StageError::Plugin(detail) => RunError::Slice { code: "plugin_bug".to_owned(), detail },
            StageError::File(error) => {
                RunError::Slice { code: "unreadable_file".to_owned(), detail: format!("{error}.") }
            }
            error @ StageError::Page(_) => RunError::Slice {
                code: "unreadable_page".to_owned(),
                detail: format!("{error}. Sync again; if it stays, report it to the plugin's publisher."),
            },
            StageError::Storage(error) => RunError::Retry {
                after_ms: None,
                counts_as_failure: true,
                detail: format!("A staged file cannot be read: {error}."),
            },
        })
    }

    fn chunk_row(
        &self,
        slice: &slice::Model,
        id: Uuid,
        chunk: NewChunk,
        received_at: i64,
    ) -> chunk::ActiveModel {
        chunk::ActiveModel {
            tenant_id: Set(self.tenant.0),
            id: Set(id),
            slice_id: Set(slice.id),
            sync_id: Set(self.sync.0),
            connection_id: Set(self.connection.id),
            stream: Set(chunk.info.stream),
            framing: Set(chunk.info.framing),
            content_type: Set(chunk.info.content_type),
            body: Set(chunk.body),
            sha256: Set(chunk.sha256),
            received_at: Set(received_at),
            state: Set(ChunkState::Staged),
            plugin_sha256: Set(self.plugin.plugin.sha256.clone()),
            seen: Set(0),
            emitted: Set(0),
            skipped: Set(0),
            tries: Set(0),
            tried_by: Set(None),
            error: Set(None),
        }
    }

    /// The rows are in the database now: the files, which may hold personal columns, go.
    pub(super) async fn remove_staged_files(&self, ids: &BTreeSet<u64>, downloads: &[StagedFile]) {
        let uploads = self.context.files.iter().filter(|file| ids.contains(&file.id));
        for file in uploads.chain(downloads) {
            if let Err(error) = tokio::fs::remove_file(&file.path).await {
                tracing::warn!(file.name = %file.name, %error, "failed to remove a staged file");
            }
        }
    }
}

/// The uploads that this page has read to their ends: those whose bodies it hands over, and the slice's own after
/// its last page.
fn files_taken(slice: &slice::Model, page: &Page, next: &NextPage) -> Result<BTreeSet<u64>, RunError> {
    let mut taken = staged_ids(page);
    let Some(number) = slice.file else { return Ok(taken) };
    if next.token.is_none() {
        if slice.pages == 0 && page.chunks.is_empty() {
            let detail = "The plugin found nothing in it to import.".to_owned();
            return Err(RunError::Slice { code: "empty_file".to_owned(), detail });
        }
        taken.insert(number.unsigned_abs());
    }
    Ok(taken)
}

fn staged_ids(page: &Page) -> BTreeSet<u64> {
    page.chunks
        .iter()
        .filter_map(|chunk| match chunk.payload {
            Payload::Staged(id) => Some(id),
            Payload::Inline(_) => None,
        })
        .collect()
}

/// What the run does about a plugin's fault.
pub(super) fn fault(fault: Fault) -> RunError {
    let detail = fault.to_string();
    match fault {
        Fault::Auth { .. } => RunError::NeedsAuth { detail },
        Fault::RateLimited { after_ms, .. } => RunError::Retry { after_ms, counts_as_failure: false, detail },
        Fault::Transient { after_ms, .. } => RunError::Retry { after_ms, counts_as_failure: true, detail },
        Fault::UpstreamBug { .. } => RunError::Retry { after_ms: None, counts_as_failure: true, detail },
        Fault::Other { retryable: true, .. } => {
            RunError::Retry { after_ms: None, counts_as_failure: true, detail }
        }
        Fault::InvalidConfig { fields } => {
            let fields: Vec<String> =
                fields.into_iter().map(|field| format!("{}: {}", field.path, field.message)).collect();
            RunError::Sync { code: "invalid_config".to_owned(), detail: fields.join("; ") }
        }
        Fault::Unavailable { .. } => RunError::Slice { code: "unavailable".to_owned(), detail },
        Fault::CursorExpired { .. } => RunError::Slice { code: CURSOR_EXPIRED.to_owned(), detail },
        Fault::PluginBug { .. } => RunError::Slice { code: "plugin_bug".to_owned(), detail },
        Fault::Stopped { .. } => RunError::Slice { code: "plugin_stopped".to_owned(), detail },
        Fault::Other { other_code, .. } => RunError::Slice { code: other_code, detail },
    }
}
