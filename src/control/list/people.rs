//! What no module shows: who answers for it instead.

use super::{Left, Row, left};

pub(super) const ROWS: &[Row] = &[
    left(
        "R130",
        Left::NotApplicable,
        "the module lets no insecure protocol in: port 80 only redirects (R027), and every other flow is TLS or stays between two groups",
    ),
    left(
        "R131",
        Left::Process,
        "the rules, their reasons and their owners are what is generated; that somebody reads them is not",
    ),
    left(
        "R132",
        Left::Process,
        "the files are in the repository under review and compared with what runs by the drift workflow; who may merge is the forge's",
    ),
    left(
        "R133",
        Left::Inherited,
        "AWS drops packets whose source address is not the interface's own, and nothing here forwards but NAT gateways",
    ),
    left(
        "R134",
        Left::Process,
        "storage encryption is what is generated; the service keeps card numbers out of what it stores, which its own tests show",
    ),
    left(
        "R135",
        Left::Process,
        "keys, what they encrypt and who may use them follow from the module; the description and its upkeep do not",
    ),
    left(
        "R136",
        Left::Process,
        "`txnr inventory` lists what is generated; what is imported or issued elsewhere has to be added",
    ),
    left(
        "R137",
        Left::Process,
        "GuardDuty watches processes; no scanner looks at uploaded files, which the service parses strictly and never runs",
    ),
    left(
        "R138",
        Left::Process,
        "the build writes a list of parts for each image; that it is kept and used is the pipeline's and people's",
    ),
    left("R139", Left::NotApplicable, "the platform serves no payment page"),
    left("R140", Left::Process, "environments are apart (R070); what people load into them is not seen"),
    left("R141", Left::Process, "the module makes none"),
    left(
        "R142",
        Left::Process,
        "Access Analyzer finds what is unused (R077); the review and its record are people's",
    ),
    left("R143", Left::Process, "what each role may do is generated; the review is people's"),
    left(
        "R144",
        Left::Process,
        "no role of people reads tables, databases or statements by the module; administrators of the account can",
    ),
    left("R145", Left::Process, "the identity provider's and the console's settings; none is made here"),
    left(
        "R146",
        Left::Process,
        "the operators' and support roles ask for it (R076); everybody else comes by the identity provider",
    ),
    left("R147", Left::Process, "the identity provider's setting"),
    left(
        "R148",
        Left::Process,
        "the identity provider's setting; nothing here is reached from outside but the load balancer",
    ),
    left("R149", Left::Inherited, "AWS's data centres, by its attestation of compliance"),
    left(
        "R150",
        Left::Process,
        "reads of the audit bucket are data events (R089); queries of log groups are management events of the trail",
    ),
    left(
        "R151",
        Left::Process,
        "refused calls stand in the trail and are counted (R105); the service's own refusals stand in its log",
    ),
    left("R152", Left::Process, "the trail has the calls, and rules tell of them (R107)"),
    left("R153", Left::Process, "the trail has the calls; objects inside PostgreSQL are pgAudit's (R120)"),
    left(
        "R154",
        Left::Inherited,
        "the form of CloudTrail's records is AWS's; that of the service's lines is its documentation's",
    ),
    left("R155", Left::Process, "the analysis of 12.3.1 is people's"),
    left("R156", Left::Inherited, "Fargate and RDS take their time from Amazon Time Sync"),
    left(
        "R157",
        Left::Process,
        "alarms and events tell (R107, R117); the answer and its record are people's",
    ),
    left("R158", Left::Process, "rules say who reaches whom; the test is done on what runs"),
    left("R159", Left::Process, "GuardDuty looks at DNS and flows (R111); the response is people's"),
    left("R160", Left::NotApplicable, "the platform serves no payment page"),
    left(
        "R161",
        Left::Process,
        "the TLS policy and key algorithms are generated (R048, R051); the review is people's",
    ),
    left("R162", Left::Process, "tags and `txnr inventory` are its input"),
    left("R163", Left::Process, "what is looked after elsewhere, and by whom, is the output `elsewhere`"),
    left("R164", Left::Process, "a statement to customers is not generated"),
    left(
        "R165",
        Left::NotApplicable,
        "an environment serves one organization; services in it share a VPC and are one scope",
    ),
];
