"""What every room has to know of number plates; the rest is in `rules.plate`."""

PROVINCES = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"
"""The province character (GA 36-2018, annex on the codes of the issuing authorities)."""
