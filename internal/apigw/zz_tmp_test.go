package apigw
import ("testing";"edgeauth/internal/yardstick";"strings")
func BenchmarkTmp(b *testing.B){ 
 for _,c:=range []struct{n,c string}{{"none","theme=dark"},{"1k","__Host-id="+strings.Repeat("e",1205)},{"4k","__Host-id="+strings.Repeat("e",4487)}} {
 ev:=yardstick.Event(c.c)
 b.Run(c.n,func(b *testing.B){ b.SetBytes(int64(len(ev))); b.ReportAllocs(); for b.Loop(){ if _,err:=DecodeAuthorizer(ev);err!=nil{b.Fatal(err)} } })
 }
}
