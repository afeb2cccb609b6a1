//! Hand-written rules as a rival: one machine that reads bodies, with the fields that the rules name, and the rules.

use super::input::Input;
use super::{clinic, fileserver, hospital, mcp, quotas, saas, toolgate, workspaces};
use crate::corpus::TIMELESS;
use gavel_runtime::bytecode::{Program, RawProgram, SlotId, verify};
use gavel_runtime::input::Trailing;
use gavel_runtime::limits::Limits;
use gavel_runtime::vm::Vm;

/// The rules of one domain, with what they need to read requests.
#[derive(Debug)]
pub struct Native {
    vm: Vm,
    /// No code, only the paths that the walk over a body keeps.
    program: Program,
    slots: Vec<SlotId>,
    decide: fn(&mut Input<'_>) -> bool,
}

impl Native {
    /// The rules of the domain of that name.
    ///
    /// # Errors
    /// Nobody has written any.
    pub fn new(name: &str) -> Result<Native, String> {
        let (paths, decide): (&[&str], fn(&mut Input<'_>) -> bool) = match name {
            "clinic" => (clinic::PATHS, clinic::decide),
            "saas" => (saas::PATHS, saas::decide),
            "toolgate" => (toolgate::PATHS, toolgate::decide),
            "fileserver" => (fileserver::PATHS, fileserver::decide),
            "mcp" => (mcp::PATHS, mcp::decide),
            "workspaces" => (workspaces::PATHS, workspaces::decide),
            "hospital" => (hospital::PATHS, hospital::decide),
            "quotas" => (quotas::PATHS, quotas::decide),
            _ => return Err(format!("no hand-written rules for {name}")),
        };
        let mut raw = RawProgram::default();
        let slots: Option<Vec<SlotId>> = paths
            .iter()
            .map(|path| raw.intern_slot(&path.split('.').collect::<Vec<_>>()))
            .collect();
        Ok(Native {
            vm: Vm::new(&Limits::DEFAULT),
            program: verify(raw).map_err(|error| error.to_string())?,
            slots: slots.ok_or("too many fields")?,
            decide,
        })
    }

    /// Decides, from the bytes of the body.
    ///
    /// # Errors
    /// A body that is no request.
    pub fn decide(&mut self, body: &[u8]) -> Result<bool, String> {
        let mut request = self.vm.request(&self.program, &TIMELESS);
        request
            .read_porc(body, Trailing::Ignore)
            .map_err(|error| error.to_string())?;
        Ok((self.decide)(&mut Input::new(request, &self.slots)))
    }

    /// Reads a body and decides nothing.
    ///
    /// # Errors
    /// A body that is no request.
    pub fn read(&mut self, body: &[u8]) -> Result<(), String> {
        let mut request = self.vm.request(&self.program, &TIMELESS);
        request
            .read_porc(body, Trailing::Ignore)
            .map_err(|error| error.to_string())
    }
}
