//! Other engines on the same decisions, each as its own documentation recommends for speed.

pub mod regorus;
