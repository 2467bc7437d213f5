//! Where AWS keeps the images of Model Monitor: "Docker Registry Paths" of the SageMaker Developer Guide. The merger of
//! labels is not listed there; AWS's own samples pull it from the same accounts.

use super::Repository;

const ANALYZER: &str = "sagemaker-model-monitor-analyzer";

/// The repositories that the jobs of a monitor pull from.
pub(super) const REPOSITORIES: [&str; 2] = [ANALYZER, "sagemaker-model-monitor-groundtruth-merger"];

/// The account of the registry in a region; `None` where Model Monitor does not exist.
pub(super) fn account(region: &str) -> Option<&'static str> {
    ACCOUNTS.iter().find(|(known, _)| *known == region).map(|(_, account)| *account)
}

/// The image of Model Monitor's analyzer in a region; `None` where Model Monitor does not exist.
#[must_use]
pub fn image(region: &str) -> Option<String> {
    let of = |account: &str| Repository {
        account: account.to_owned(),
        region: region.to_owned(),
        name: ANALYZER.to_owned(),
    };
    account(region).map(|account| of(account).uri())
}

const ACCOUNTS: [(&str, &str); 31] = [
    ("af-south-1", "875698925577"),
    ("ap-east-1", "001633400207"),
    ("ap-northeast-1", "574779866223"),
    ("ap-northeast-2", "709848358524"),
    ("ap-northeast-3", "990339680094"),
    ("ap-south-1", "126357580389"),
    ("ap-southeast-1", "245545462676"),
    ("ap-southeast-2", "563025443158"),
    ("ap-southeast-3", "669540362728"),
    ("ca-central-1", "536280801234"),
    ("cn-north-1", "453000072557"),
    ("cn-northwest-1", "453252182341"),
    ("eu-central-1", "048819808253"),
    ("eu-central-2", "590183933784"),
    ("eu-north-1", "895015795356"),
    ("eu-south-1", "933208885752"),
    ("eu-south-2", "437450045455"),
    ("eu-west-1", "468650794304"),
    ("eu-west-2", "749857270468"),
    ("eu-west-3", "680080141114"),
    ("il-central-1", "843974653677"),
    ("me-central-1", "588750061953"),
    ("me-south-1", "607024016150"),
    ("sa-east-1", "539772159869"),
    ("us-east-1", "156813124566"),
    ("us-east-2", "777275614652"),
    ("us-west-1", "890145073186"),
    ("us-west-2", "159807026194"),
    ("us-isof-east-1", "853188333426"),
    ("us-isof-south-1", "467912361380"),
    ("us-gov-west-1", "362178532790"),
];
