//! Requests to Amazon's services.

mod sign;

pub(super) use sign::sign_req;
