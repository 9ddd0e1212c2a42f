bothways bundle export 12345678 --out bundle.zip --directory hub
mkdir unpacked && python3 -m zipfile -e bundle.zip unpacked && cd unpacked
