//! Peers in process decide every request as gavel does; without that, a ratio of times means nothing.

use gavel_benches::corpus;
use gavel_benches::peers::cedar;
use gavel_benches::peers::clinic::{self, realised};
use gavel_benches::peers::regorus::{self, Kind, Peer};

#[test]
fn regorus_decides_as_gavel_does() {
    for example in corpus::examples().unwrap() {
        let image = corpus::image(&example).unwrap();
        let mut decider = corpus::decider(&image);
        for kind in [Kind::Vm, Kind::Interpreter] {
            let mut rival = Peer::new(&example, kind).unwrap();
            for (name, body) in &example.requests {
                let decision = corpus::decide(&mut decider, &image, body).unwrap();
                let granted = decision.granted;
                let asked = regorus::asked(decision.references);
                let request = regorus::request(&mut decider, &image, body, &asked).unwrap();
                let theirs = rival.decide(&request).unwrap();
                assert_eq!(theirs, granted, "{}/{name} {kind:?}", example.name);
            }
        }
    }
}

#[test]
fn cedar_decides_the_clinic_as_gavel_does() {
    let examples = corpus::examples().unwrap();
    let example = examples
        .iter()
        .find(|example| example.name == clinic::EXAMPLE)
        .unwrap();
    let image = corpus::image(example).unwrap();
    let mut decider = corpus::decider(&image);
    let rival = cedar::Peer::new().unwrap();
    for (name, body) in &example.requests {
        let granted = corpus::decide(&mut decider, &image, body).unwrap().granted;
        let document = realised(&mut decider, &image, body).unwrap();
        let prepared = rival.prepare(&document).unwrap();
        assert_eq!(rival.decide(&prepared), granted, "{name}");
    }
}
