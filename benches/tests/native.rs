//! The hand-written rules decide every request of the corpus as gavel does.

use gavel_benches::corpus;
use gavel_benches::native::Native;

#[test]
fn hand_written_rules_decide_as_gavel_does() {
    let mut wrong = Vec::new();
    for example in corpus::examples().unwrap() {
        let image = corpus::image(&example).unwrap();
        let mut decider = corpus::decider(&image);
        let mut native = Native::new(&example.name).unwrap();
        for (name, body) in &example.requests {
            let ours = corpus::decide(&mut decider, &image, body).unwrap().granted;
            if native.decide(body).unwrap() != ours {
                wrong.push(format!("{}/{name}: gavel says {ours}", example.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
