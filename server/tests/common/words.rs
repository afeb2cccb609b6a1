//! A service that mappers ask, and that takes its time where a test wants it to.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::common::eventually;

/// Those who ask for `/slow`.
#[derive(Clone, Default)]
pub(crate) struct Slow {
    asked: Arc<AtomicUsize>,
    are_answered: Arc<AtomicBool>,
}

impl Slow {
    /// How many there are so far.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// Has them answered.
    pub(crate) fn answer(&self) {
        self.are_answered.store(true, Ordering::Relaxed);
    }
}

/// A service that answers `/WORD` with that word, and `/slow` with `open` once it may: its port.
pub(crate) fn words(slow: &Slow) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, slow) = (listener.local_addr().unwrap().port(), slow.clone());
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let slow = slow.clone();
            thread::spawn(move || {
                let mut head = [0; 4096];
                let read = stream.read(&mut head).unwrap();
                let head = String::from_utf8_lossy(head.get(..read).unwrap_or_default()).into_owned();
                let word = head.split(['/', ' ']).nth(2).unwrap_or_default();
                if word == "slow" {
                    slow.asked.fetch_add(1, Ordering::Relaxed);
                    eventually(|| slow.are_answered.load(Ordering::Relaxed));
                }
                let body = format!("{{\"word\":\"{}\"}}", word.replace("slow", "open"));
                let length = body.len();
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
                );
            });
        }
    });
    port
}
