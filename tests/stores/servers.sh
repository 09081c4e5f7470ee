# Installs moto (PyPI) and azurite (npm) into the present folder, starts them, and makes the bucket and the container `acme`. To be sourced.
python3 -m venv venv
venv/bin/pip install --quiet 'moto[server,s3]' boto3 azure-storage-blob
npm install --silent azurite
venv/bin/moto_server -H 127.0.0.1 -p 5999 > moto.log 2>&1 & echo $! > moto.pid
node_modules/.bin/azurite-blob --silent --blobPort 10000 --skipApiVersionCheck --location blobs > azurite.log 2>&1 & echo $! > azurite.pid
cat > acme.py <<'P'
import boto3
from azure.storage.blob import BlobServiceClient

s3 = boto3.client("s3", endpoint_url="http://127.0.0.1:5999", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
# The key that every Azurite has: https://learn.microsoft.com/azure/storage/common/storage-use-azurite
key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
azure = BlobServiceClient("http://127.0.0.1:10000/devstoreaccount1", credential=key)
if __name__ == "__main__":
    s3.create_bucket(Bucket="acme")
    azure.create_container("acme")
P
tries=0
until venv/bin/python acme.py > acme.log 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 30 ] || { cat acme.log; exit 1; }
    sleep 1
done
