//! Items that tests and benchmarks in files of their own use, under the names of their modules. Everything else is
//! private, so rustc finds what nothing uses. The program itself imports nothing from here.

pub mod cli {
    pub use crate::cli::{Command, parse};
}

pub mod config {
    pub use crate::config::{RunConfig, run_config};
}

pub mod control {
    pub use crate::control::{Controller, Engine};
}

pub mod hls {
    pub use crate::hls::decrypt::Decryptor;
    pub use crate::hls::{Playlist, parse};
}

pub mod origin {
    pub use crate::origin::counts::{Counts, Served};
    pub use crate::origin::{Origin, Settings};
}

pub mod pipeline {
    pub use crate::pipeline::{Pipeline, Reading};
}

pub mod report {
    pub use crate::report::CheckReport;
    pub use crate::report::check::text as check_text;
}

pub mod sample {
    pub use crate::sample::{
        Behind, EdgeSample, History, Point, RunSample, RungSample, Sampler, Sources, StreamSample, TICK,
    };
}

pub mod stats {
    pub use crate::stats::{
        ClientHandle, ClientRow, Meter, Metric, Placement, Registry, RungKind, RungName, Snapshot, Tally,
        Timings, Totals,
    };
}

pub mod swarm {
    pub use crate::swarm::Swarm;
}

pub mod tui {
    pub use crate::tui::{Access, Charset, Console, Offscreen, Palette, Setup, Theme, Title};
}

pub mod vocabulary {
    pub use crate::vocabulary::clock::micros;
    pub use crate::vocabulary::outcome::{Fault, HttpFailure};
    pub use crate::vocabulary::units::{self, plural};
    pub use crate::vocabulary::{
        ClientState, Clock, Command, Finding, Kind, OnHangup, Outcome, Playback, RunIdentity, RunState,
        SecretUrl,
    };
}
