//! A batch that threads work on, and its results.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use prost::Message as _;

use crate::frame::{self, LENGTH_BYTES};
use crate::protocol::{self, process_frame::Message};
use crate::session::Session;
use crate::{Failure, Record, Results};

/// Results that wait to be sent are sent when they have this size, or between two records when
/// they are this old. Then a crash repeats little.
const SEND_BYTES: usize = 1 << 20;
const SEND_AFTER: Duration = Duration::from_millis(50);

/// A batch. Threads take its lanes one after another.
pub struct Job {
    pub records: Vec<Record>,
    pub session: Arc<Session>,
    id: u64,
    lanes: Lanes,
    /// The first lane that no thread has taken.
    next: AtomicUsize,
    unfinished: AtomicUsize,
    sent: Mutex<Sent>,
}

#[derive(Default)]
struct Sent {
    bytes: usize,
    /// The batch has failed as a whole: nothing of it is sent any more.
    failed: bool,
}

impl Job {
    pub fn new(session: Arc<Session>, id: u64, records: Vec<Record>, lanes: Lanes) -> Self {
        let count = lanes.len();
        Self {
            records,
            session,
            id,
            lanes,
            next: AtomicUsize::new(0),
            unfinished: AtomicUsize::new(count),
            sent: Mutex::default(),
        }
    }

    /// Returns lanes for the calling thread, which is one of several; none if all are taken.
    ///
    /// There are fewer of them towards the end, so that the threads end at about the same time.
    pub fn take_lanes(&self, threads: usize) -> Range<usize> {
        let count = self.lanes.len();
        let take = |next: usize| next + ((count - next) / (4 * threads)).max(1).min(count - next);
        // The records are visible since the job came through the pool's lock.
        let taken =
            self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next| Some(take(next)));
        let first = taken.unwrap_or(count);
        first..take(first)
    }

    /// Returns the number of lanes.
    pub fn lanes(&self) -> usize {
        self.lanes.len()
    }

    /// Whether all lanes are taken.
    pub fn all_taken(&self) -> bool {
        self.next.load(Ordering::Relaxed) >= self.lanes.len()
    }

    /// Returns the places of a lane's records, in their order.
    pub fn places(&self, lane: usize) -> &[usize] {
        match &self.lanes {
            Lanes::Single(places) => &places[lane..=lane],
            Lanes::Ordered(lanes) => &lanes[lane],
        }
    }

    /// Says that the calling thread has sent the results of so many lanes.
    pub fn finish(&self, lanes: usize) {
        if self.unfinished.fetch_sub(lanes, Ordering::AcqRel) == lanes {
            self.session.answered(self.id);
        }
    }

    /// Sends encoded results of some records. Threads may do so at the same time.
    fn send(&self, results: &[u8]) {
        let frame = frame::encode_results(self.id, results);
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        if sent.failed {
            return;
        }
        sent.bytes += frame.len() - LENGTH_BYTES;
        if sent.bytes <= self.session.largest() {
            self.session.writer.send_results(frame);
            return;
        }
        sent.failed = true;
        self.send_too_large();
    }

    /// Fails the batch. A record that is alone is at fault itself.
    pub fn fail(&self, failure: Failure) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.failed = true;
        self.send_failure(failure);
    }

    fn send_too_large(&self) {
        let problem = format!(
            "the results have more than {} bytes, which the worker refuses",
            self.session.largest()
        );
        self.send_failure(if self.records.len() == 1 {
            Failure::permanent(problem)
        } else {
            Failure::retry(problem)
        });
    }

    fn send_failure(&self, failure: Failure) {
        let mut message = protocol::Results { batch: self.id, ..Default::default() };
        if self.records.len() == 1 {
            message.results = vec![failed(0, failure)];
        } else {
            message.failure = Some(failure.inner);
        }
        self.session.writer.send_results(frame::encode(Message::Results(message)));
    }
}

/// The places of a batch's records, together those whose order counts.
pub enum Lanes {
    Single(Vec<usize>),
    Ordered(Vec<Vec<usize>>),
}

impl Lanes {
    /// Returns the lanes of records under an ordering of the protocol.
    pub fn new(records: &[Record], ordering: &str) -> Self {
        let key = |place: usize, record: &Record| match (ordering, record.key()) {
            ("Partition", _) => Lane::Partition(record.partition()),
            ("Key", Some(key)) => Lane::Key(record.partition(), key.clone()),
            // Records with a null key have no order.
            _ => Lane::Alone(place),
        };
        if ordering == "Unordered" {
            return Self::Single((0..records.len()).collect());
        }
        let mut lanes: Vec<Vec<usize>> = Vec::new();
        let mut of = HashMap::new();
        for (place, record) in records.iter().enumerate() {
            let lane = *of.entry(key(place, record)).or_insert(lanes.len());
            if lane == lanes.len() {
                lanes.push(Vec::new());
            }
            lanes[lane].push(place);
        }
        Self::Ordered(lanes)
    }

    /// Returns all records as one lane.
    pub fn whole(records: &[Record]) -> Self {
        Self::Ordered(vec![(0..records.len()).collect()])
    }

    fn len(&self) -> usize {
        match self {
            Self::Single(places) => places.len(),
            Self::Ordered(lanes) => lanes.len(),
        }
    }
}

#[derive(PartialEq, Eq, Hash)]
enum Lane {
    Partition(i32),
    Key(i32, bytes::Bytes),
    Alone(usize),
}

/// The results that one thread has made of a job and not sent yet.
pub struct Part<'a> {
    pub job: &'a Job,
    /// The results, encoded as fields of a Results message.
    results: Vec<u8>,
    since: Instant,
}

impl<'a> Part<'a> {
    pub fn new(job: &'a Job) -> Self {
        Self { job, results: Vec::new(), since: Instant::now() }
    }

    /// Adds the results of a record, and sends what has waited long enough by now.
    pub fn put(&mut self, place: usize, result: Result<Results, Failure>, now: Instant) {
        let result = match result {
            Ok(results) => {
                protocol::Result { index: index(place), outputs: results.0, failure: None }
            }
            Err(failure) => failed(place, failure),
        };
        // Encoded now, it needs no memory for the outputs, and their bytes are in the cache.
        self.results.push(frame::RESULT_IN_RESULTS);
        result.encode_length_delimited(&mut self.results).expect("a vector grows");
        if self.results.len() >= SEND_BYTES || now.duration_since(self.since) >= SEND_AFTER {
            self.flush(now);
        }
    }

    /// Returns how long the results may still wait to be sent, or `None` if there are none.
    #[cfg(feature = "tokio")]
    pub fn age_limit(&self, now: Instant) -> Option<Duration> {
        (!self.results.is_empty())
            .then(|| SEND_AFTER.saturating_sub(now.duration_since(self.since)))
    }

    /// Sends all results.
    pub fn flush(&mut self, now: Instant) {
        if !self.results.is_empty() {
            self.job.send(&self.results);
            self.results.clear();
        }
        self.since = now;
    }
}

fn failed(place: usize, failure: Failure) -> protocol::Result {
    protocol::Result { index: index(place), outputs: Vec::new(), failure: Some(failure.inner) }
}

fn index(place: usize) -> u32 {
    u32::try_from(place).expect("no batch has 2^32 records")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes(ordering: &str) -> Vec<Vec<usize>> {
        let records = [
            Record::with_null().keyed("k"),
            Record::with_null(),
            Record::with_null().keyed("k").at("t", 1, 0),
            Record::with_null().keyed("k"),
            Record::with_null(),
        ];
        match Lanes::new(&records, ordering) {
            Lanes::Single(places) => places.into_iter().map(|place| vec![place]).collect(),
            Lanes::Ordered(lanes) => lanes,
        }
    }

    #[test]
    fn each_lane_is_taken_once() {
        for (count, threads) in [(0, 1), (1, 4), (7, 2), (1000, 3)] {
            let records = vec![Record::with_null(); count];
            let lanes = Lanes::new(&records, "Unordered");
            let job = Job::new(Session::unconnected(), 1, records, lanes);
            let mut next = 0;
            while !job.all_taken() {
                let taken = job.take_lanes(threads);
                assert_eq!(taken.start, next);
                assert!(taken.len() <= 1.max(count / (4 * threads)), "{taken:?}");
                next = taken.end;
            }
            assert_eq!((next, job.take_lanes(threads)), (count, count..count));
        }
    }

    #[test]
    fn records_whose_order_counts_share_a_lane() {
        assert_eq!(lanes("Unordered"), [[0], [1], [2], [3], [4]]);
        assert_eq!(lanes("Key"), [vec![0, 3], vec![1], vec![2], vec![4]]);
        assert_eq!(lanes("Partition"), [vec![0, 1, 3, 4], vec![2]]);
    }
}
