//! Runs the drawing script in QuickJS, inside the process.
//!
//! Two threads own one runtime each: QuickJS cannot be shared, and a runtime takes some megabytes. A
//! drawing takes about 20 ms (31 days × 4 channels, with axes and legend) at best, up to
//! three times that on a busy machine, nearly all of it ECharts' layout; so drawings are remembered by
//! their specification and the same chart is drawn once. The script sees nothing but the specification it
//! is handed: no file, no network, no clock that waits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rquickjs::{CatchResultExt, Context, Function, Runtime};

use crate::memory::{Drawings, Wanted};
use crate::{ChartSpec, MOST_MARKS};

/// Far above what the largest chart needs; a script gone wild ends here.
const MEMORY_LIMIT_BYTES: usize = 96 << 20;
const SCRIPT_STACK_BYTES: usize = 1 << 20;
const THREAD_STACK_BYTES: usize = 4 << 20;
/// QuickJS asks every 10,000 branches whether to go on. The largest chart takes below 1,000 such
/// steps, loading the script below 100.
const MOST_STEPS: u64 = 20_000;
/// How long a caller waits for its turn and its drawing together.
const PATIENCE: Duration = Duration::from_secs(10);
const THREADS: usize = 2;

/// What can go wrong with a drawing. A page then shows the table instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChartError {
    #[error(
        "a chart of {marks} marks is more than the {MOST_MARKS} that can be read: use a coarser grain or fewer parts"
    )]
    TooManyMarks { marks: usize },
    #[error("a chart of {width} × {height} cannot be drawn: both must be from 16 to 4096")]
    BadSize { width: u32, height: u32 },
    #[error("the drawing script failed: {0}")]
    Script(String),
    #[error("the drawing took too long and was given up")]
    TooLong,
    #[error("the drawing thread has ended")]
    Stopped,
}

/// Whose colours a drawing carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Theme {
    /// For a page: colours are the page's custom properties, so one drawing serves light and dark.
    Page,
    /// For mails, documents and embedding: literal colours, and a title inside.
    Light,
    Dark,
}

impl Theme {
    const fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

struct Order {
    wanted: Wanted,
    answer: Sender<Result<Arc<str>, ChartError>>,
}

/// Draws charts as SVG. Cheap to share behind an `Arc`. Drawing blocks its caller for milliseconds,
/// so asynchronous callers use a blocking task.
#[derive(Debug)]
pub struct ChartRenderer {
    orders: Sender<Order>,
    drawings: Mutex<Drawings>,
}

impl ChartRenderer {
    /// Starts the drawing threads with `bundle`, the script that defines
    /// `render(specJson, width, height, theme)`. Errors: [`ChartError::Script`] if it does not load.
    pub fn new(bundle: &str) -> Result<Self, ChartError> {
        let (orders, incoming) = mpsc::channel();
        let (loaded, loads) = mpsc::channel();
        let bundle: Arc<str> = bundle.into();
        let incoming = Arc::new(Mutex::new(incoming));
        for _ in 0..THREADS {
            let (bundle, incoming, loaded) = (Arc::clone(&bundle), Arc::clone(&incoming), loaded.clone());
            thread::Builder::new()
                .name("charts".to_owned())
                .stack_size(THREAD_STACK_BYTES)
                .spawn(move || serve(&bundle, &incoming, &loaded))
                .map_err(|error| ChartError::Script(format!("no thread to draw in: {error}")))?;
        }
        loads.recv_timeout(PATIENCE).map_err(waiting_failed)??;
        Ok(Self { orders, drawings: Mutex::default() })
    }

    /// The chart as one `<svg>` element without style attributes, scripts or links.
    pub fn render_svg(
        &self,
        spec: &ChartSpec,
        width: u32,
        height: u32,
        theme: Theme,
    ) -> Result<String, ChartError> {
        self.begin(spec, width, height, theme)?.finish(self)
    }

    /// Several drawings, side by side on the drawing threads, in the order asked for.
    pub fn render_all(&self, charts: &[(&ChartSpec, u32, u32, Theme)]) -> Vec<Result<String, ChartError>> {
        let begun: Vec<_> = charts
            .iter()
            .map(|(spec, width, height, theme)| self.begin(spec, *width, *height, *theme))
            .collect();
        begun.into_iter().map(|drawing| drawing?.finish(self)).collect()
    }

    fn begin(&self, spec: &ChartSpec, width: u32, height: u32, theme: Theme) -> Result<Drawing, ChartError> {
        let allowed = 16..=4096;
        if !allowed.contains(&width) || !allowed.contains(&height) {
            return Err(ChartError::BadSize { width, height });
        }
        let fitted = spec.clone().fitted();
        if fitted.marks() > MOST_MARKS {
            return Err(ChartError::TooManyMarks { marks: fitted.marks() });
        }
        let wanted = Wanted { spec_json: fitted.to_json(), width, height, theme };
        if let Some(svg) = self.drawings().find(&wanted) {
            return Ok(Drawing::Remembered(svg));
        }
        let (answer, answered) = mpsc::channel();
        let order = Order { wanted: wanted.clone(), answer };
        self.orders.send(order).map_err(|_| ChartError::Stopped)?;
        Ok(Drawing::Ordered { wanted, answered })
    }

    fn drawings(&self) -> std::sync::MutexGuard<'_, Drawings> {
        // What is remembered is whole even if a holder of the lock panicked.
        self.drawings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Drawing {
    Remembered(Arc<str>),
    Ordered { wanted: Wanted, answered: Receiver<Result<Arc<str>, ChartError>> },
}

impl Drawing {
    fn finish(self, renderer: &ChartRenderer) -> Result<String, ChartError> {
        match self {
            Self::Remembered(svg) => Ok(svg.to_string()),
            Self::Ordered { wanted, answered } => {
                let svg = answered.recv_timeout(PATIENCE).map_err(waiting_failed)??;
                renderer.drawings().keep(wanted, Arc::clone(&svg));
                Ok(svg.to_string())
            }
        }
    }
}

fn waiting_failed(error: RecvTimeoutError) -> ChartError {
    match error {
        RecvTimeoutError::Timeout => ChartError::TooLong,
        RecvTimeoutError::Disconnected => ChartError::Stopped,
    }
}

/// A drawing thread: ends when the renderer is dropped.
fn serve(bundle: &str, incoming: &Mutex<Receiver<Order>>, loaded: &Sender<Result<(), ChartError>>) {
    let first = Script::load(bundle);
    let outcome = first.as_ref().map(|_| ()).map_err(Clone::clone);
    let failed = outcome.is_err();
    // If nobody waits for the outcome any more, nobody orders either and the loop below ends at once.
    let _ = loaded.send(outcome);
    if failed {
        return;
    }
    let mut script = first.ok();
    loop {
        let next = incoming.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(order) = next else { return };
        let result = match script.take().map_or_else(|| Script::load(bundle), Ok) {
            Ok(loaded) => {
                let drawing = loaded.draw(&order.wanted);
                // After a failure the runtime may be short of memory or half way through: a new one.
                script = drawing.is_ok().then_some(loaded);
                drawing
            }
            Err(error) => Err(error),
        };
        // A caller that lost its patience is gone; its drawing is dropped.
        let _ = order.answer.send(result.map(Arc::from));
    }
}

/// The loaded script.
struct Script {
    context: Context,
    steps: Arc<AtomicU64>,
    // Dropped after its context.
    _runtime: Runtime,
}

impl Script {
    fn load(bundle: &str) -> Result<Self, ChartError> {
        let runtime = Runtime::new().map_err(script_failed)?;
        runtime.set_memory_limit(MEMORY_LIMIT_BYTES);
        runtime.set_max_stack_size(SCRIPT_STACK_BYTES);
        let steps = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&steps);
        runtime.set_interrupt_handler(Some(Box::new(move || {
            counter.fetch_add(1, Ordering::Relaxed) >= MOST_STEPS
        })));
        let context = Context::full(&runtime).map_err(script_failed)?;
        context.with(|ctx| {
            let outcome: rquickjs::Result<()> = ctx.eval(bundle);
            outcome.catch(&ctx).map_err(script_failed)
        })?;
        Ok(Self { context, steps, _runtime: runtime })
    }

    fn draw(&self, wanted: &Wanted) -> Result<String, ChartError> {
        self.steps.store(0, Ordering::Relaxed);
        let drawing = self.context.with(|ctx| {
            let render: Function<'_> = ctx.globals().get("render").catch(&ctx).map_err(script_failed)?;
            let arguments = (wanted.spec_json.as_str(), wanted.width, wanted.height, wanted.theme.name());
            render.call(arguments).catch(&ctx).map_err(script_failed)
        });
        if drawing.is_err() && self.steps.load(Ordering::Relaxed) > MOST_STEPS {
            return Err(ChartError::TooLong);
        }
        drawing
    }
}

fn script_failed(error: impl std::fmt::Display) -> ChartError {
    ChartError::Script(error.to_string().chars().take(400).collect())
}
