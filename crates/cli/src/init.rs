//! The recipe that `parcelctl init` starts people with.

/// The files of a new recipe.
pub(crate) struct Starter {
    product: String,
}

impl Starter {
    /// A recipe named after its folder, as far as a product may be called like that.
    pub(crate) fn new(folder: &str) -> Self {
        let allowed = |c: char| {
            if c.is_ascii_alphanumeric() || c == '.' {
                c
            } else {
                '_'
            }
        };
        let product: String = folder.to_uppercase().chars().map(allowed).collect();
        let product = product.trim_matches(['_', '.']).to_owned();
        Self {
            product: if product.is_empty() {
                "MYPARCEL".to_owned()
            } else {
                product
            },
        }
    }

    pub(crate) fn files(&self) -> [(&'static str, String); 2] {
        let parcel_toml = format!(
            "\
[parcel]
name = \"{}\"
version = \"1.0\"
distros = [\"el8\"] # the systems of your cluster's hosts: el7, el8, el9, sles15, jammy, ...
provides = [\"spark-plugin\"] # whose processes see CDH_PYTHON
default-environment = \"py311\"

[environments.py311] # at envs/py311 of the parcel
spec = \"environment.yml\"

[[test]]
environment = \"py311\"
run = \"python -c 'import numpy'\"
",
            self.product
        );
        let environment = "\
channels:
  - conda-forge
dependencies:
  - python 3.11.*
  - numpy
"
        .to_owned();
        [
            ("parcel.toml", parcel_toml),
            ("environment.yml", environment),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_a_dash_becomes_a_product_without() {
        assert_eq!(Starter::new("my-parcel").product, "MY_PARCEL");
        assert_eq!(Starter::new("données").product, "DONN_ES");
        assert_eq!(Starter::new("---").product, "MYPARCEL");
    }
}
